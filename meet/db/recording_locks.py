"""The per-room recording lock: a row whose primary key is the room. Used inside the transactions of `recordings.py`."""

from __future__ import annotations

from sqlalchemy import Connection, delete, insert, select
from sqlalchemy.exc import IntegrityError

from meet.core.errors import RoomNotFound
from meet.core.model.recording import RecordingLock

from .tables import recording_locks

_ACQUIRE = insert(recording_locks).prefix_with("OR IGNORE", dialect="sqlite")


def acquire(connection: Connection, room_id: str, key: str, now: int) -> bool:
    """True for the one who gets it. Raises RoomNotFound when the room vanished (its foreign key)."""
    row = {"room_id": room_id, "object_key": key, "created_at": now}
    try:
        return connection.execute(_ACQUIRE, row).rowcount == 1
    except IntegrityError:
        raise RoomNotFound(room_id) from None


def release(connection: Connection, room_id: str, key: str) -> bool:
    """Release it if it is held for `key`; a lock of somebody else stays."""
    held = (recording_locks.c.room_id == room_id) & (recording_locks.c.object_key == key)
    return connection.execute(delete(recording_locks).where(held)).rowcount == 1


def locks(connection: Connection) -> list[RecordingLock]:
    """Every lock held."""
    rows = connection.execute(select(recording_locks))
    return [RecordingLock(row.room_id, row.object_key, row.created_at) for row in rows]
