"""The revisions and the tables say the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, inspect

from meet.db import Database
from meet.db.migrate import UnknownSchema, alembic_config, upgrade
from meet.db.tables import metadata


def test_migrated_schema_is_the_declared_one(database: Database) -> None:
    context = MigrationContext.configure(database.reader, opts={"compare_type": True})
    assert compare_metadata(context, metadata) == []


def test_opening_again_changes_nothing(database: Database, path: Path) -> None:
    before = database.reader.exec_driver_sql("PRAGMA schema_version").scalar()
    Database.open(path).close()
    assert database.reader.exec_driver_sql("PRAGMA schema_version").scalar() == before


def test_down_and_up_again(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'meet.db'}")
    with engine.begin() as connection:
        upgrade(connection)
        command.downgrade(alembic_config(connection), "base")
        assert inspect(connection).get_table_names() == ["alembic_version"]
        upgrade(connection)
        assert set(inspect(connection).get_table_names()) == {*metadata.tables, "alembic_version"}
    engine.dispose()


def test_data_of_a_newer_version_is_left_alone(database: Database, path: Path) -> None:
    with database._engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(UnknownSchema, match="another version of meet"):
        Database.open(path)


def test_failing_migration_leaves_nothing(path: Path) -> None:
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE users (in_the_way TEXT)")
    try:
        Database.open(path).close()
        failed = False
    except Exception:
        failed = True
    with engine.connect() as connection:
        assert failed
        assert inspect(connection).get_table_names() == ["users"]
    engine.dispose()
