"""ZIP archives written while they are sent: stored entries, Zip64, a length known before the first byte.

Layout per PKWARE APPNOTE 6.3.10: every entry has a local header without sizes, its bytes, and a 64-bit data descriptor;
the central directory carries CRC, sizes and offsets in Zip64 fields. All records have fixed sizes whatever the entries
are, so the length of the archive is arithmetic on names and sizes.
"""

from __future__ import annotations

import struct
import unicodedata
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from .streaming import StreamResponse

try:
    from isal.isal_zlib import crc32
except ImportError:  # ten times the CPU, the same result
    from zlib import crc32

_VERSION = 45  # Zip64
_FLAGS = 0x0808  # sizes and CRC follow in a data descriptor; names are UTF-8
_STORED = 0
_MASKED32 = 0xFFFFFFFF
_LOCAL = struct.Struct("<4sHHHHHLLLHHHHQQ")
_DESCRIPTOR = struct.Struct("<4sLQQ")
_CENTRAL = struct.Struct("<4sHHHHHHLLLHHHHHLL")
_CENTRAL_ZIP64 = struct.Struct("<HHQQQ")
_END64 = struct.Struct("<4sQHHLLQQQQ")
_LOCATOR = struct.Struct("<4sLQL")
_END = struct.Struct("<4sHHHHLLH")
_LOCAL_EXTRA = 20
_PER_ENTRY = _LOCAL.size + _DESCRIPTOR.size + _CENTRAL.size + _CENTRAL_ZIP64.size
_TAIL = _END64.size + _LOCATOR.size + _END.size


@dataclass(frozen=True, slots=True)
class ZipEntry:
    """A file of the archive. `opener` is called when its turn comes and must yield exactly `size` bytes."""

    name: str
    size: int
    opener: Callable[[], AbstractAsyncContextManager[AsyncIterator[bytes]]]
    modified: datetime | None = None


class ZipEntryError(Exception):
    """An entry did not have the size it was announced with; the archive cannot be finished."""


def unique_names(names: Iterable[str]) -> list[str]:
    """The names as flat, distinct file names: `a.mp4`, `a (2).mp4`.

    Separators and control characters become `_`. Two names that differ only in case count as one, because they
    would overwrite each other when unpacked on Windows or macOS.
    """
    taken: set[str] = set()
    result = []
    for name in names:
        flat = _flat(name)
        stem, dot, suffix = flat.rpartition(".")
        if not stem:
            stem, dot, suffix = flat, "", ""
        candidate, count = flat, 1
        while candidate.casefold() in taken:
            count += 1
            candidate = f"{stem} ({count}){dot}{suffix}"
        taken.add(candidate.casefold())
        result.append(candidate)
    return result


def _flat(name: str) -> str:
    visible = "".join(
        "_" if char in '/\\:*?"<>|' or unicodedata.category(char) in ("Cc", "Cs") else char
        for char in unicodedata.normalize("NFC", name)
    )
    return visible if visible.strip(". ") else "file"


def zip_length(entries: Iterable[ZipEntry]) -> int:
    """Bytes of the archive that `zip_chunks` makes of these entries."""
    return _TAIL + sum(_PER_ENTRY + 2 * len(entry.name.encode()) + entry.size for entry in entries)


async def zip_chunks(entries: Sequence[ZipEntry]) -> AsyncGenerator[bytes, None]:
    """The archive. Entries are opened one after the other, so at most one is open.

    Names must be distinct (`unique_names`). Memory is one chunk plus about 100 bytes per entry.
    Raises ZipEntryError on a size mismatch, and whatever an opener or its iterator raises.
    """
    if len({entry.name for entry in entries}) != len(entries):
        raise ValueError("names in a ZIP archive must be distinct")
    offset = 0
    directory = bytearray()
    for entry in entries:
        name = entry.name.encode()
        stamp = _dos_time(entry.modified)
        header = _LOCAL.pack(
            b"PK\3\4", _VERSION, _FLAGS, _STORED, *stamp, 0, _MASKED32, _MASKED32, len(name), _LOCAL_EXTRA, 1, 16, 0, 0
        )
        # The Zip64 field comes after the name: the struct holds both fixed parts.
        yield header[:-_LOCAL_EXTRA] + name + header[-_LOCAL_EXTRA:]
        crc = done = 0
        if entry.size:
            async with entry.opener() as chunks:
                async for chunk in chunks:
                    done += len(chunk)
                    if done > entry.size:
                        break
                    crc = crc32(chunk, crc)
                    yield chunk
        if done != entry.size:
            raise ZipEntryError(f"'{entry.name}' does not have the announced {entry.size} bytes")
        yield _DESCRIPTOR.pack(b"PK\7\10", crc, done, done)
        directory += _central(name, stamp, crc, done, offset)
        offset += _LOCAL.size + len(name) + done + _DESCRIPTOR.size
    yield bytes(directory) + _tail(len(entries), len(directory), offset)


def _central(name: bytes, stamp: tuple[int, int], crc: int, size: int, offset: int) -> bytes:
    fixed = _CENTRAL.pack(
        b"PK\1\2", _VERSION, _VERSION, _FLAGS, _STORED, *stamp, crc, _MASKED32, _MASKED32, len(name),
        _CENTRAL_ZIP64.size, 0, 0, 0, 0, _MASKED32,
    )  # fmt: skip
    return fixed + name + _CENTRAL_ZIP64.pack(1, 24, size, size, offset)


def _tail(count: int, directory_size: int, directory_offset: int) -> bytes:
    end64 = _END64.pack(
        b"PK\6\6", _END64.size - 12, _VERSION, _VERSION, 0, 0, count, count, directory_size, directory_offset
    )
    locator = _LOCATOR.pack(b"PK\6\7", 0, directory_offset + directory_size, 1)
    short = min(count, 0xFFFF)
    return end64 + locator + _END.pack(b"PK\5\6", 0, 0, short, short, _MASKED32, _MASKED32, 0)


def _dos_time(moment: datetime | None) -> tuple[int, int]:
    """(time, date) in DOS format, UTC, within its years 1980 to 2107; 1980-01-01 when there is no time."""
    if moment is None or moment.astimezone(UTC).year < 1980:
        return 0, (1 << 5) | 1
    utc = moment.astimezone(UTC)
    if utc.year > 2107:
        utc = datetime(2107, 12, 31, 23, 59, 58, tzinfo=UTC)
    time = (utc.hour << 11) | (utc.minute << 5) | (utc.second // 2)
    return time, ((utc.year - 1980) << 9) | (utc.month << 5) | utc.day


def zip_response(entries: Sequence[ZipEntry], filename: str = "archive.zip") -> StreamResponse:
    """200 with the archive as a download. `filename` must be plain ASCII without quotes."""

    @asynccontextmanager
    async def source() -> AsyncIterator[AsyncIterator[bytes]]:
        async with aclosing(zip_chunks(entries)) as chunks:
            yield chunks

    headers = {
        "Content-Type": "application/zip",
        "Content-Disposition": f'attachment; filename="{filename}"',
        "Cache-Control": "no-store",
    }
    return StreamResponse(200, headers, source, zip_length(entries), label=filename)
