"""Every column says what it holds, why, for how long; and the migrations make just these tables."""

import importlib
import pkgutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateTable

import amana
from amana.storage import Category, Retention, declaration_of, metadata, upgrade

# Alembic alone runs its environment and its versions; `python -m amana` runs when imported.
NOT_IMPORTED = ("amana.storage.env", "amana.storage.versions", "amana.__main__")


@pytest.fixture(scope="module", autouse=True)
def every_room() -> None:
    """Import all rooms, so that their tables are known."""
    for module in pkgutil.walk_packages(amana.__path__, "amana."):
        if not module.name.startswith(NOT_IMPORTED):
            importlib.import_module(module.name)


def columns() -> list["sa.Column[Any]"]:
    return [column for table in metadata.tables.values() for column in table.columns]


def test_there_are_tables() -> None:
    assert len(metadata.tables) > 1


def test_every_column_declares_itself() -> None:
    silent = [str(column) for column in columns() if declaration_of(column) is None]
    assert not silent, silent


def test_only_what_holds_nothing_about_anybody_stays_for_ever() -> None:
    wrong = [
        str(column)
        for column in columns()
        if (declared := declaration_of(column)) is not None
        and declared.retention is Retention.FOR_EVER
        and declared.category is not Category.NONE
    ]
    assert not wrong, wrong


def test_no_column_keeps_where_or_on_what_somebody_was() -> None:
    watched = ("ip", "address_ip", "user_agent", "last_seen", "latitude", "longitude", "device")
    found = [str(column) for column in columns() if column.name in watched]
    assert not found, found


def test_every_table_is_named_after_its_room() -> None:
    rooms = {module.name for module in pkgutil.iter_modules(amana.__path__)}
    strangers = [name for name in metadata.tables if name.partition("_")[0] not in rooms]
    assert not strangers, strangers


def schema(path: Path) -> dict[str, list[str]]:
    with sqlite3.connect(path) as connection:
        rows = connection.execute(
            "SELECT name, sql FROM sqlite_schema"
            # The migrations' own note of how far they are.
            " WHERE sql IS NOT NULL AND name <> 'storage_version'"
        ).fetchall()
    connection.close()
    return {name: clauses(sql) for name, sql in rows}


def clauses(sql: str) -> list[str]:
    """Return a statement's parts without order: constraints may stand in any."""
    parts, depth = [""], 0
    for character in " ".join(sql.replace('"', "").split()):
        before, depth = depth, depth + {"(": 1, ")": -1}.get(character, 0)
        is_outermost = (before, depth) in {(0, 1), (1, 0)} or (character == "," and depth == 1)
        if is_outermost:
            parts.append("")
        else:
            parts[-1] += character
    return sorted(part.strip() for part in parts)


def test_a_migrated_file_is_what_the_rooms_declare(tmp_path: Path) -> None:
    migrated, declared = tmp_path / "migrated.db", tmp_path / "declared.db"
    upgrade(migrated)
    engine = sa.create_engine(f"sqlite:///{declared}")
    metadata.create_all(engine)
    engine.dispose()
    assert schema(migrated) == schema(declared)


def test_migrating_twice_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "books.db"
    upgrade(path)
    before = schema(path)
    upgrade(path)
    assert schema(path) == before


def test_every_table_refuses_values_of_another_type() -> None:
    loose = [
        table.name
        for table in metadata.tables.values()
        if "STRICT" not in str(CreateTable(table).compile(dialect=sqlite.dialect()))
    ]
    assert not loose, loose
