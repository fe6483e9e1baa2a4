"""What a reader says of input that it cannot take."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with an input.

    `field` names the place in the format's own words ("54", "62.05", "amount.minor"); `message` is
    a sentence for people. Neither repeats what was sent: it may be a secret or somebody's name.
    """

    field: str
    message: str


@dataclass(frozen=True, slots=True)
class Malformed:
    """Input that was not understood, with every fault found in it. Never without a fault."""

    faults: tuple[Fault, ...]

    def __post_init__(self) -> None:
        """Hold that a refusal says why."""
        assert self.faults, "malformed input has at least one fault"
