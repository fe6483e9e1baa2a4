"""The simulator: whole worlds of payments and purses, each from one seed, judged by an auditor."""

from amana.testing.simulator._faults import Faults, draw_faults
from amana.testing.simulator._node import Parts
from amana.testing.simulator._purse_node import PurseParts, small_policy
from amana.testing.simulator._run import (
    Report,
    WorldReport,
    form_of,
    has_purse,
    run_world,
    run_worlds,
)
from amana.testing.simulator._stores import Form
from amana.testing.simulator._violation import Violation

__all__ = [
    "Faults",
    "Form",
    "Parts",
    "PurseParts",
    "Report",
    "Violation",
    "WorldReport",
    "draw_faults",
    "form_of",
    "has_purse",
    "run_world",
    "run_worlds",
    "small_policy",
]
