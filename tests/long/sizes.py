"""How large the long tests go, and what came of it."""

import os


class Sizes:
    """How large to go, and what came of it."""

    def __init__(self) -> None:
        self.is_full = os.environ.get("AMANA_LONG") == "full"
        self.results: list[tuple[str, str]] = []

    def pick(self, *, full: int, part: int) -> int:
        """Return the size for this run."""
        return full if self.is_full else part

    def record(self, what: str, result: str) -> None:
        """Note a result for the page."""
        self.results.append((what, result))
