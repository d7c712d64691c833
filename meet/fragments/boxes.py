"""Boxes of an ISO base media file (ISO/IEC 14496-12)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO


class Malformed(Exception):
    """A box that cannot be: `str()` says where."""


@dataclass(frozen=True, slots=True)
class Box:
    """`kind` is its four letters; `start` and `end` are offsets in what was walked, `body` that of its content."""

    kind: bytes
    start: int
    body: int
    end: int


def walk(file: BinaryIO, start: int, end: int) -> Iterator[Box]:
    """The boxes between two offsets of a file. Raises Malformed."""
    while start < end:
        file.seek(start)
        box = _header(file.read(16), start, end)
        yield box
        start = box.end


def inside(data: bytes, start: int = 0, end: int | None = None) -> Iterator[Box]:
    """The boxes between two offsets of bytes. Raises Malformed."""
    end = len(data) if end is None else end
    while start < end:
        box = _header(data[start : start + 16], start, end)
        yield box
        start = box.end


def find(data: bytes, *path: bytes) -> bytes:
    """Content of the first box at `path`, each step inside of the one before. Raises Malformed."""
    for kind in path:
        found = next((box for box in inside(data) if box.kind == kind), None)
        if found is None:
            raise Malformed(f"there is no {kind.decode('latin-1')}")
        data = data[found.body : found.end]
    return data


def box(kind: bytes, *content: bytes) -> bytes:
    """A box with that content."""
    data = b"".join(content)
    return (len(data) + 8).to_bytes(4) + kind + data


def header(head: bytes) -> tuple[bytes, int, int] | None:
    """(kind, length of the header, length of the box) from its first 16 bytes; None when the header is not whole.

    The length is 0 for a box that goes on to the end of its file (4.2)."""
    size, body = int.from_bytes(head[:4]), 8
    if size == 1:
        size, body = int.from_bytes(head[8:16]), 16
    return (head[4:8], body, size) if len(head) >= body else None


def _header(head: bytes, start: int, limit: int) -> Box:
    kind, body, size = header(head) or (b"", 8, -1)
    size = size or limit - start
    if size < body or start + size > limit:
        raise Malformed(f"the box at {start} has no end")
    return Box(kind, start, start + body, start + size)
