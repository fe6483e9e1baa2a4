"""Formats of Cashu."""
