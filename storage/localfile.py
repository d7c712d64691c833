"""Blocking file work of the filesystem store: durable publishing and page-cache aware reading."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from .errors import StorageError, StorageMisconfigured, StorageUnavailable

_READ_AHEAD = 2 * 1024 * 1024
_PASSING = 4 * 1024 * 1024
_NOWAIT: int | None = getattr(os, "RWF_NOWAIT", None)
_PROBE = [bytearray(1)]
_OPERATOR_ERRORS = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG}


def storage_error(error: OSError, root: Path) -> StorageError:
    """The storage error an OS error means; permissions and paths are the operator's, the rest may pass."""
    reason = error.strerror or type(error).__name__
    if error.errno in _OPERATOR_ERRORS:
        return StorageMisconfigured(f"The storage directory {root} cannot be used: {reason}.")
    return StorageUnavailable(f"The storage directory {root} failed: {reason}.")


def opened(path: Path) -> tuple[int, os.stat_result]:
    """A descriptor to read from, and the file's stat. Raises OSError."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return fd, os.fstat(fd)
    except OSError:
        os.close(fd)
        raise


def resident(fd: int, first: int, last: int) -> bool:
    """Whether reading bytes `first` to `last` would not wait for the disk.

    One byte of each end is read with RWF_NOWAIT (about 1 µs): the kernel reads ahead in sequence, so a chunk with
    both ends cached is cached. Where the file system cannot tell (tmpfs, some network file systems) the answer is
    False, which costs a thread hop and never stalls the event loop.
    """
    if _NOWAIT is None:
        return False
    try:
        return os.preadv(fd, _PROBE, last, _NOWAIT) == 1 and os.preadv(fd, _PROBE, first, _NOWAIT) == 1
    except OSError:
        return False


def read_cold(fd: int, size: int, offset: int) -> bytes:
    """Read from disk and have the next 2 MiB fetched in the background: one thread hop then pays for many chunks."""
    data = os.pread(fd, size, offset)
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(fd, offset + len(data), _READ_AHEAD, os.POSIX_FADV_WILLNEED)
    return data


def read_once(path: Path) -> Iterator[bytes]:
    """All bytes of a file. What was not in the page cache before is not left there: others need it more.

    Raises OSError."""
    with path.open("rb") as file:
        fd, size = file.fileno(), os.fstat(file.fileno()).st_size
        advise = getattr(os, "posix_fadvise", None)
        if advise is not None:
            # What is read ahead would look as if it had been there.
            advise(fd, 0, 0, os.POSIX_FADV_RANDOM)
        for offset in range(0, size, _PASSING):
            length = min(_PASSING, size - offset)
            cached = resident(fd, offset, offset + length - 1)
            yield os.pread(fd, length, offset)
            if advise is not None and not cached:
                advise(fd, offset, length, os.POSIX_FADV_DONTNEED)


def sha256(path: Path) -> str:
    """Of a whole file, in hexadecimal; blocks. Raises OSError."""
    digest = hashlib.sha256()
    for data in read_once(path):
        digest.update(data)
    return digest.hexdigest()


def publish(source: Path, incoming: Path, target: Path, *, share: bool = False) -> os.stat_result:
    """Bring `source` to `target` so that `target` is never seen incomplete, and survives a power cut once returned.

    A copy; with `share` a second name of the same file, where the file system allows it. Temporary name in `incoming`
    (same file system), fsync, rename, fsync of the folder. Returns the stat of the blob. Raises OSError, or
    StorageError when the source changed size meanwhile.
    """
    incoming.mkdir(parents=True, exist_ok=True)
    if share and (shared := _link(source, incoming, target)) is not None:
        return shared
    with source.open("rb") as reader:
        expected = os.fstat(reader.fileno()).st_size
        fd, name = tempfile.mkstemp(dir=incoming, prefix=f"{os.getpid()}-")
        temporary = Path(name)
        try:
            with os.fdopen(fd, "wb") as writer:
                _copy(reader.fileno(), writer.fileno(), expected)
                os.fsync(writer.fileno())
                stat = os.fstat(writer.fileno())
            if stat.st_size != expected or source.stat().st_size != expected:
                raise StorageError(f"The file for '{target.name}' changed size while it was stored.")
            _rename(temporary, target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    return stat


def _link(source: Path, incoming: Path, target: Path) -> os.stat_result | None:
    """A second name for `source`; None where that cannot be, most of all on another file system."""
    temporary = incoming / f"{os.getpid()}-{secrets.token_hex(8)}"
    with source.open("rb") as file:
        try:
            os.link(source, temporary)
        except OSError as error:
            if error.errno in (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.EOPNOTSUPP, errno.ENOSYS):
                return None
            raise OSError(error.errno, error.strerror, str(temporary)) from error  # nothing is wrong with the source
        try:
            os.fsync(file.fileno())
            _rename(temporary, target)
        finally:
            temporary.unlink(missing_ok=True)  # rename(2) does nothing where both are the same file already
        return os.fstat(file.fileno())


def _copy(source: int, target: int, size: int) -> None:
    """Copy in the kernel: a reflink where the file system shares blocks, otherwise without passing user space."""
    done = 0
    try:
        while done < size:
            step = os.copy_file_range(source, target, size - done)
            if step == 0:
                return
            done += step
    except OSError as error:
        if error.errno not in (errno.EXDEV, errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP):
            raise
        with os.fdopen(os.dup(source), "rb") as reader, os.fdopen(os.dup(target), "wb") as writer:
            reader.seek(done)
            writer.seek(done)
            shutil.copyfileobj(reader, writer, 1024 * 1024)


def _rename(temporary: Path, target: Path) -> None:
    for attempt in range(5):
        _make_folders(target.parent)
        try:
            temporary.replace(target)
            break
        except FileNotFoundError:
            # `remove` in another process pruned the folder between the two calls.
            if attempt == 4 or not temporary.exists():
                raise
    sync_folder(target.parent)


def _make_folders(folder: Path) -> None:
    missing = []
    while not folder.exists():
        missing.append(folder)
        folder = folder.parent
    for path in reversed(missing):
        path.mkdir(exist_ok=True)
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the folder's entries durable; a rename is not before that."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def remove(root: Path, target: Path) -> None:
    """Unlink `target` and the folders it leaves empty, up to but without `root`. A missing file is fine.

    Raises OSError."""
    try:
        target.unlink()
    except (FileNotFoundError, NotADirectoryError):
        return
    sync_folder(target.parent)
    folder = target.parent
    with contextlib.suppress(OSError):  # ends at the first folder in use, or already pruned by someone else
        while folder != root:
            folder.rmdir()
            folder = folder.parent


def sweep(incoming: Path, older_than: float) -> None:
    """Remove temporary files last written before `older_than` (Unix seconds): what a killed process left behind."""
    for path in incoming.iterdir():
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_mtime < older_than:
                path.unlink()
