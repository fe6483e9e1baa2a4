"""The reference mint and wallet, in an environment of their own."""
