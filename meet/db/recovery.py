"""Writing into the database file from another process, for who is locked out. The server may run or not."""

from __future__ import annotations

from pathlib import Path

from . import existing
from .user_rows import store_password


def reset_password(path: Path, user_id: str, password_hash: str, now: int) -> bool:
    """Give a user another password and end their sessions; False when there is no such user. now: unix time in ms.

    Nothing is created or migrated. Raises SQLAlchemyError: no such file, not writable, no database of ours, one that
    another program has kept locked for 5 s, or of a version of meet that has no sessions yet."""
    engine = existing.engine(path, "rw")
    try:
        with engine.begin() as connection:
            return store_password(connection, user_id, password_hash, False, now)
    finally:
        engine.dispose()
