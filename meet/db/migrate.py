"""Schema migrations, run from inside the program: a new version of meet brings its data directory along."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError


class UnknownSchema(SQLAlchemyError):
    """The file's schema revision is not one of ours; a `meet` that is older than its data must not touch them."""


def alembic_config(connection: Connection) -> Config:
    """Alembic's configuration for one open connection; there is no ini file."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    return config


def upgrade(connection: Connection) -> None:
    """Run every missing revision in the connection's transaction: all of them or none. Raises UnknownSchema."""
    try:
        command.upgrade(alembic_config(connection), "head")
    except CommandError as error:
        raise UnknownSchema(f"the database was written by another version of meet: {error}") from None
