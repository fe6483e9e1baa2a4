"""Months of published card purchases, run through the network to the penny."""

from amana.demo.replay.model import FileReport, Month, Report, RowClass, Sum
from amana.demo.replay.report import as_json, tables
from amana.demo.replay.run import OPENING, ReplayRefused, Watch, read_months, replay_into

__all__ = [
    "OPENING",
    "FileReport",
    "Month",
    "ReplayRefused",
    "Report",
    "RowClass",
    "Sum",
    "Watch",
    "as_json",
    "read_months",
    "replay_into",
    "tables",
]
