"""Migrations: forward only, each runnable with the previous release."""

import os
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from sqlalchemy.pool import NullPool

_SCRIPTS: Final = Path(__file__).parent
_FILE_MODE: Final = 0o600


def upgrade(path: Path) -> None:
    """Bring the file of books to the newest form, making it where there is none."""
    # Made for its owner alone, whoever may read the folder; SQLite gives its log the same mode.
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, _FILE_MODE))
    engine = sa.create_engine(sa.URL.create("sqlite", database=str(path)), poolclass=NullPool)
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    with engine.begin() as connection:
        connection.execute(sa.text("PRAGMA foreign_keys = ON"))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
