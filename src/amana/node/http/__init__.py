"""The operator over HTTP: bytes to commands, views to bytes."""
