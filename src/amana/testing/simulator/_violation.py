"""The word for a broken promise."""

import msgspec


class Violation(msgspec.Struct, frozen=True):
    """A promise that a world saw broken."""

    rule: str
    subject: str
    expected: str
    found: str

    def __str__(self) -> str:
        """Say it in one line."""
        return f"{self.rule}: {self.subject}: expected {self.expected}, found {self.found}"


def broken(rule: str, subject: object, *, expected: object, found: object) -> Violation:
    """Name a broken promise; an id is written in hexadecimal."""
    text = f"{subject:x}" if isinstance(subject, int) else str(subject)
    return Violation(rule, text, str(expected), str(found))
