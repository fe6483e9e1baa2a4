"""The file of books: migrations, strict tables, one process at a time."""

import sqlite3
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from amana.node.operator import Operator
from amana.storage import FolderLocked, lock_folder, metadata, open_reader, upgrade
from amana.storage._connections import open_writer_connection

assert Operator.__module__, "importing the operator brings every room's tables"


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("books") / "books.db"
    upgrade(path)
    return path


def test_the_migrations_make_exactly_the_tables_that_are_declared(books: Path) -> None:
    import sqlalchemy as sa  # noqa: PLC0415 - one use

    engine = sa.create_engine(f"sqlite:///{books}")
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"version_table": "storage_version", "target_metadata": metadata}
        )
        differences = compare_metadata(context, metadata)
    engine.dispose()
    assert differences == []


def test_the_migrated_tables_have_the_same_checks_as_the_declared_ones(
    books: Path, tmp_path: Path
) -> None:
    import sqlalchemy as sa  # noqa: PLC0415 - one use

    declared = tmp_path / "declared.db"
    engine = sa.create_engine(f"sqlite:///{declared}")
    metadata.create_all(engine)
    engine.dispose()
    assert checks_of(books) == checks_of(declared)


def checks_of(path: Path) -> dict[str, set[str]]:
    """The named checks of each table, with their text."""
    reading = open_reader(path)
    found = {}
    for name, text in reading.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'table'"):
        lines = (" ".join(line.split()).rstrip(",") for line in text.splitlines())
        found[name] = {line for line in lines if "CHECK" in line}
    reading.close()
    found.pop("storage_version", None)
    return found


def test_every_table_is_strict(books: Path) -> None:
    reading = open_reader(books)
    tables = reading.execute("PRAGMA table_list").fetchall()
    ours = {
        row[1]: row[5] for row in tables if row[0] == "main" and not row[1].startswith("sqlite")
    }
    reading.close()
    assert set(ours) >= set(metadata.tables)
    assert {name for name, is_strict in ours.items() if not is_strict} <= {"storage_version"}


def test_a_second_upgrade_changes_nothing(books: Path) -> None:
    before = schema_of(books)
    upgrade(books)
    assert schema_of(books) == before


def schema_of(path: Path) -> list[tuple[str]]:
    reading = open_reader(path)
    found = reading.execute("SELECT sql FROM sqlite_schema ORDER BY name").fetchall()
    reading.close()
    return found


def test_the_writers_connection_is_as_durable_as_it_gets(tmp_path: Path) -> None:
    connection = open_writer_connection(tmp_path / "books.db")
    said = {
        name: connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("journal_mode", "synchronous", "foreign_keys", "trusted_schema")
    }
    connection.close()
    assert said == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "trusted_schema": 0,
    }


def test_a_reader_cannot_write(books: Path) -> None:
    reading = open_reader(books)
    with pytest.raises(sqlite3.OperationalError):
        reading.execute("DELETE FROM payments_payments")
    reading.close()


def test_one_process_at_a_time_works_in_a_folder(tmp_path: Path) -> None:
    first = lock_folder(tmp_path)
    first.__enter__()
    with pytest.raises(FolderLocked, match="Nothing was changed"), lock_folder(tmp_path):
        raise AssertionError("two at once")
    first.__exit__()
    with lock_folder(tmp_path):
        assert (tmp_path / "lock").is_file()
