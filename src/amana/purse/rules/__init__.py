"""The purse's decisions: pure functions of what is known."""
