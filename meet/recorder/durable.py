"""Files that are still there, and whole, after a power cut."""

from __future__ import annotations

import errno
import os
from pathlib import Path


def sync_folder(folder: Path) -> None:
    """Make the folder's entries durable: neither a new file nor a rename is before that (fsync(2), NOTES)."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def make_folder(folder: Path) -> None:
    """Create the folder and what is missing above it, durably. Raises FileExistsError when it is there already."""
    missing = [folder]
    while not missing[-1].parent.exists():
        missing.append(missing[-1].parent)
    for path in reversed(missing):
        path.mkdir(exist_ok=path != folder)
        sync_folder(path.parent)


def replace(path: Path, content: bytes) -> None:
    """Replace the file in one step; once this returns, the new content survives. Raises OSError."""
    temporary = path.with_name(f".{path.name}.tmp")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    sync_folder(path.parent)


def afford(folder: Path, size: int, files: int) -> None:
    """Have the file system say whether it would take that many bytes, and files, in the folder; nothing stays there.

    Free space alone does not tell: there are quotas. Raises OSError (ENOSPC, EDQUOT, EROFS...)."""
    free = os.statvfs(folder)
    if free.f_files and free.f_favail < files:  # some have no fixed number of files, and say 0
        raise OSError(errno.ENOSPC, "No file left on device", str(folder))
    probe = folder / ".afford"
    fd = os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.posix_fallocate(fd, 0, size)
    finally:
        os.close(fd)
        probe.unlink()
