"""Migrations: forward only, each runnable with the previous release."""

from pathlib import Path
from typing import Final

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from sqlalchemy.pool import NullPool

_SCRIPTS: Final = Path(__file__).parent


def upgrade(path: Path) -> None:
    """Bring the file of books to the newest form, making it where there is none."""
    engine = sa.create_engine(f"sqlite:///{path}", poolclass=NullPool)
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    with engine.begin() as connection:
        connection.execute(sa.text("PRAGMA foreign_keys = ON"))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
