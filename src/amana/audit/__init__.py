"""A second opinion: recomputes the books from their rows, knowing only the kernel."""

from amana.audit._folder import audit_folder
from amana.audit._report import AuditReport, BooksUnreadable, Finding, LedgerTotals

__all__ = ["AuditReport", "BooksUnreadable", "Finding", "LedgerTotals", "audit_folder"]
