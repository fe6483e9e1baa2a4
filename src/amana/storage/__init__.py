"""Connections, the one writer, migrations, and what each column declares about itself."""

from amana.storage._columns import (
    Bytes,
    Category,
    Declaration,
    Int64,
    Joinable,
    Purpose,
    Retention,
    Text,
    column,
    declaration_of,
    metadata,
    sql_text,
    strict_table,
)
from amana.storage._connections import (
    BOOKS_FILE,
    SETTINGS_FILE,
    FolderLocked,
    lock_folder,
    open_reader,
    open_writer_connection,
)
from amana.storage._core import Handler, Participant, WriterCore
from amana.storage._log import BooksLog, mark_log_emptied, read_log
from amana.storage._migrations import upgrade
from amana.storage._writer import Writer

__all__ = [
    "BOOKS_FILE",
    "SETTINGS_FILE",
    "BooksLog",
    "Bytes",
    "Category",
    "Declaration",
    "FolderLocked",
    "Handler",
    "Int64",
    "Joinable",
    "Participant",
    "Purpose",
    "Retention",
    "Text",
    "Writer",
    "WriterCore",
    "column",
    "declaration_of",
    "lock_folder",
    "mark_log_emptied",
    "metadata",
    "open_reader",
    "open_writer_connection",
    "read_log",
    "sql_text",
    "strict_table",
    "upgrade",
]
