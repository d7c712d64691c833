"""The outbox beside what causes it: one transaction, and the meetings under way when a server is updated."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from sqlalchemy import create_engine, inspect

from meet.db.migrate import alembic_config, upgrade


def test_meetings_under_way_during_an_update_are_known(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'meet.db'}")
    row = "INSERT INTO rooms VALUES (NULL, '{0}', 'R', 'r', 'admin', '{1}', 1, NULL, 'none', 1, 0, '{{}}')"
    with engine.begin() as connection:
        command.upgrade(alembic_config(connection), "0001")
        connection.exec_driver_sql(row.format("idle-1", "open"))
        connection.exec_driver_sql(row.format("busy-1", "active_meeting"))
        upgrade(connection)
        found = connection.exec_driver_sql("SELECT room_id FROM announced_meetings").scalars().all()
        assert found == ["busy-1"]
        assert "webhook_deliveries" in inspect(connection).get_table_names()
    engine.dispose()
