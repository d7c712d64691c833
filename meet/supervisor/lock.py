"""One running instance per data directory, by an advisory lock that the kernel drops when the holder dies."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import IO


class AlreadyRunning(Exception):
    """Another process holds the data directory."""


def acquire(data_dir: Path) -> IO[str]:
    """Lock `data_dir`; keep the returned file open for as long as the lock is wanted.

    Raises AlreadyRunning with the holder's pid in the message.
    """
    path = data_dir / "run" / "meet.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    file = path.open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.seek(0)
        holder = file.read().strip() or "unknown"
        file.close()
        raise AlreadyRunning(f"another meet (pid {holder}) is already using the data directory {data_dir}") from error
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file


def holder(data_dir: Path) -> int | None:
    """The process that holds `data_dir`, None when none does. Looks without writing."""
    try:
        file = (data_dir / "run" / "meet.lock").open()
    except OSError:
        return None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            text = file.read().strip()
            return int(text) if text.isdigit() else None
    return None
