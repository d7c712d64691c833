"""What SQLite says when it cannot write now, in the domain's words."""

from __future__ import annotations

import sqlite3
from typing import Final

from sqlalchemy.exc import DBAPIError

from meet.core.errors import DatabaseUnavailable

_REASONS: Final = {
    sqlite3.SQLITE_FULL: "its disk is full",
    sqlite3.SQLITE_READONLY: "its disk or file may only be read",
    sqlite3.SQLITE_IOERR: "its disk fails",
    sqlite3.SQLITE_CANTOPEN: "its file cannot be opened",
    sqlite3.SQLITE_BUSY: "another program keeps it locked",
}


def refusal(error: DBAPIError | sqlite3.Error) -> DatabaseUnavailable | None:
    """None when the disk has nothing to do with it. https://www.sqlite.org/rescode.html: the primary code is the low
    byte of the extended one."""
    original = error.orig if isinstance(error, DBAPIError) else error
    reason = _REASONS.get(getattr(original, "sqlite_errorcode", 0) & 0xFF)
    return DatabaseUnavailable(reason) if reason is not None else None
