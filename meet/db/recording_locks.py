"""The per-room recording lock: a row whose primary key is the room. Used inside the transactions of `recordings.py`."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, bindparam, delete, exists, insert, select, update
from sqlalchemy.exc import IntegrityError

from meet.core.errors import RoomNotFound
from meet.core.model.recording import RecordingLock

from .tables import recording_locks, recordings

ENDING_MS: Final = 15_000
"""A recording that has been over for so long only waits for its file, for hours when the store is away: its room may be
recorded again."""

_ACQUIRE = insert(recording_locks).prefix_with("OR IGNORE", dialect="sqlite")
_TAKE_OVER = (
    update(recording_locks)
    .where(
        recording_locks.c.room_id == bindparam("room"),
        exists().where(
            recordings.c.object_key == recording_locks.c.object_key,
            recordings.c.status == "ending",
            recordings.c.updated_at < bindparam("ended_before"),
        ),
    )
    .values(object_key=bindparam("key"), created_at=bindparam("now"))
)


def acquire(connection: Connection, room_id: str, key: str, now: int) -> bool:
    """True for the one who gets it: nobody has it, or a recording of which only the file is missing (ENDING_MS).

    Raises RoomNotFound when the room vanished (its foreign key)."""
    row = {"room_id": room_id, "object_key": key, "created_at": now}
    try:
        if connection.execute(_ACQUIRE, row).rowcount == 1:
            return True
    except IntegrityError:
        raise RoomNotFound(room_id) from None
    taking = {"room": room_id, "key": key, "now": now, "ended_before": now - ENDING_MS}
    return connection.execute(_TAKE_OVER, taking).rowcount == 1


def release(connection: Connection, room_id: str, key: str) -> bool:
    """Release it if it is held for `key`; a lock of somebody else stays."""
    held = (recording_locks.c.room_id == room_id) & (recording_locks.c.object_key == key)
    return connection.execute(delete(recording_locks).where(held)).rowcount == 1


def locks(connection: Connection) -> list[RecordingLock]:
    """Every lock held."""
    rows = connection.execute(select(recording_locks))
    return [RecordingLock(row.room_id, row.object_key, row.created_at) for row in rows]
