"""Connections that have not yet shown who they are: how many there may be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final, Generic, TypeVar

from meet.media.transport.sources import source

MAX_WAITING: Final = 1024
MAX_PER_SOURCE: Final = 256
"""Of one address (IPv6: one /64). Browsers say who they are at once: these are that many people in one instant."""

Connection = TypeVar("Connection")


class Waiting(Generic[Connection]):
    """Oldest first. When there are too many, the oldest has had the most time to say something, and has to go."""

    def __init__(self) -> None:
        self._sources: dict[Connection, str] = {}
        self._count: Counter[str] = Counter()
        self.ended = 0

    def add(self, connection: Connection, host: str | None) -> list[Connection]:
        """Count it in; returns those that the caller has to end (and which are forgotten already)."""
        if connection in self._sources:
            return []
        key = source(host)
        self._sources[connection] = key
        self._count[key] += 1
        over = []
        if key and self._count[key] > MAX_PER_SOURCE:
            over.append(next(c for c, s in self._sources.items() if s == key))
        elif len(self._sources) > MAX_WAITING:
            over.append(next(iter(self._sources)))
        for old in over:
            self.discard(old)
        self.ended += len(over)
        return over

    def discard(self, connection: Connection) -> None:
        """It has shown who it is, or is gone."""
        key = self._sources.pop(connection, None)
        if key is not None:
            self._count[key] -= 1
            if not self._count[key]:
                del self._count[key]

    def __len__(self) -> int:
        return len(self._sources)

    def __iter__(self) -> Iterator[Connection]:
        return iter(list(self._sources))
