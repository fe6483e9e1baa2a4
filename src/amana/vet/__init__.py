"""Attacks on what the operator holds."""
