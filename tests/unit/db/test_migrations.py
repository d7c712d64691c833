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


def test_users_in_meetings_are_still_known_after_an_update(tmp_path: Path) -> None:
    """Tokens issued by the version before stay in use; a guest with a link is nobody registered."""
    engine = create_engine(f"sqlite:///{tmp_path / 'meet.db'}")
    with engine.begin() as connection:
        command.upgrade(alembic_config(connection), "0005")
        connection.exec_driver_sql(
            "INSERT INTO rooms (room_id, room_name, room_name_folded, owner, status, creation_date, meeting_end_action,"
            " roles_updated_at, user_access, document) VALUES ('r', 'R', 'r', 'admin', 'open', 1, 'none', 1, 0, '{}')"
        )
        connection.exec_driver_sql(
            "INSERT INTO users (user_id, name, name_folded, role, registration_date, role_updated_at, password_hash,"
            " must_change_password) VALUES ('alice', 'Alice', 'alice', 'room_member', 1, 1, '', 0)"
        )
        for identity in ("alice", "guest-1"):
            connection.exec_driver_sql(
                "INSERT INTO participant_grants (room_id, identity, permissions, badge, promoted, issued_at)"
                f" VALUES ('r', '{identity}', '{{}}', 'other', 0, 1)"
            )
        upgrade(connection)
        rows = connection.exec_driver_sql("SELECT identity, user_id FROM participant_grants ORDER BY identity").all()
    engine.dispose()
    assert [tuple(row) for row in rows] == [("alice", "alice"), ("guest-1", None)]


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
