"""What an operator owes to holders of e-cash: a statement a day, published to everybody."""

from amana.purse.liabilities.model import (
    Count,
    DenominationStatement,
    Facts,
    KeysetStatement,
    Statement,
)
from amana.purse.liabilities.rows import StatementRows, StatementStore, read_facts
from amana.purse.liabilities.rules import date_of, make_statement, read_date
from amana.purse.liabilities.service import Liabilities

__all__ = [
    "Count",
    "DenominationStatement",
    "Facts",
    "KeysetStatement",
    "Liabilities",
    "Statement",
    "StatementRows",
    "StatementStore",
    "date_of",
    "make_statement",
    "read_date",
    "read_facts",
]
