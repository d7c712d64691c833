"""A disk that loses power: what survives is what was fsynced, and garbage.

The model follows POSIX at its least generous. A file has the content it had at its last fsync, plus a tail of any bytes
where it was longer. A folder has the entries it had at its last fsync; an entry created, renamed or removed later is as
it was before. Real file systems keep more; none that is mounted with barriers keeps less.
"""

from __future__ import annotations

import contextlib
import os
import random
import stat
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

Inode = tuple[int, int]


class Disk:
    """Everything below `root`, which is durable itself. `install` before anything is written there."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._contents: dict[Inode, bytes] = {}
        self._entries: dict[Inode, dict[str, tuple[Inode, bool]]] = {}
        self._kept: list[int] = []
        self.after_sync: Callable[[], None] | None = None
        self.frozen = threading.RLock()
        """Held while nothing may become durable."""

    @contextlib.contextmanager
    def install(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        """Watch every fsync of this process."""
        with monkeypatch.context() as patch:
            for name in ("fsync", "fdatasync"):
                patch.setattr(os, name, self._watched(getattr(os, name)))
            yield
        for fd in self._kept:
            os.close(fd)
        self._kept.clear()

    def _watched(self, real: Callable[[int], None]) -> Callable[[int], None]:
        def sync(fd: int) -> None:
            if self._below_root(fd):
                with self.frozen:
                    self._note(fd)
                    real(fd)
                    if self.after_sync is not None:
                        self.after_sync()
            else:
                real(fd)

        return sync

    def _below_root(self, fd: int) -> bool:
        return Path(f"/proc/self/fd/{fd}").readlink().is_relative_to(self.root)

    def _note(self, fd: int) -> None:
        """What is there before the call is what the call makes durable."""
        known = os.fstat(fd)
        inode = (known.st_dev, known.st_ino)
        if stat.S_ISDIR(known.st_mode):
            found = {}
            for entry in os.scandir(f"/proc/self/fd/{fd}"):
                inside = entry.stat(follow_symlinks=False)
                found[entry.name] = ((inside.st_dev, inside.st_ino), entry.is_dir())
            self._entries[inode] = found
        else:
            self._contents[inode] = Path(f"/proc/self/fd/{fd}").read_bytes()
            self._kept.append(os.dup(fd))  # or the kernel gives the number to another file

    def adopt(self) -> None:
        """What is below the root now is durable, as everything is that an earlier power cut left."""
        for path in [self.root, *self.root.rglob("*")]:
            fd = os.open(path, os.O_RDONLY)
            os.fsync(fd)
            os.close(fd)

    def synced(self, path: Path) -> bytes:
        """The durable content of a file that is there now."""
        known = path.stat()
        return self._contents.get((known.st_dev, known.st_ino), b"")

    def cut_power(self, target: Path, rng: random.Random) -> None:
        """What the next start finds, written below `target`."""
        known = self.root.stat()
        target.mkdir()
        with self.frozen:
            self._restore((known.st_dev, known.st_ino), self.root, target, rng)

    def _restore(self, inode: Inode, now: Path, target: Path, rng: random.Random) -> None:
        for name, (child, folder) in self._entries.get(inode, {}).items():
            if folder:
                (target / name).mkdir()
                self._restore(child, now / name, target / name, rng)
                continue
            content = self._contents.get(child, b"")
            with contextlib.suppress(FileNotFoundError):
                known = (now / name).stat()
                unsynced = known.st_size - len(content)
                if (known.st_dev, known.st_ino) == child and unsynced > 0:
                    content += _garbage(now / name, len(content), unsynced, rng)
            (target / name).write_bytes(content)


def _garbage(path: Path, start: int, length: int, rng: random.Random) -> bytes:
    """A tail that was never synced: cut short, zeros, noise, or the right bytes with a hole of noise in them."""
    kind = rng.randrange(4)
    if kind == 0:
        return b""
    if kind == 1:
        return bytes(rng.randint(1, length))
    if kind == 2:
        return rng.randbytes(rng.randint(1, length))
    real = bytearray(path.read_bytes()[start : start + length])
    hole = rng.randrange(len(real)) if real else 0
    real[hole : hole + 512] = rng.randbytes(len(real[hole : hole + 512]))
    return bytes(real)
