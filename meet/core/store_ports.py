"""Where the files of recordings are, as the database knows it. Stores go by name (`Recording.store`), None: unknown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from .model.recording import Recording


@dataclass(frozen=True, slots=True)
class Holding:
    """How many recordings with a file the database believes to be in a store."""

    store: str | None
    count: int


class RecordingPlaces(Protocol):
    """Recordings that are over and have a file. Those being deleted can neither be listed nor changed."""

    async def holdings(self) -> list[Holding]:
        """Every store that has any, counted along an index."""
        ...

    async def in_stores(self, stores: Sequence[str | None], *, after: int, limit: int) -> list[tuple[int, Recording]]:
        """The next recordings in one of them, with the number to go on behind; begins behind 0."""
        ...

    async def with_copies(self, *, after: int, limit: int) -> list[tuple[int, Recording]]:
        """The next recordings with copies left in other stores; as `in_stores`."""
        ...

    async def move(self, recording: Recording, store: str, *, copy_stays: bool) -> bool:
        """The file is in `store`; copy_stays: where it was, too. False when the row is not what `recording` says any
        more: moved by somebody else, being deleted, gone."""
        ...

    async def forget_copy(self, recording: Recording, store: str) -> bool:
        """The copy in `store` is gone. False as in `move`."""
        ...

    async def sha256(self, recording_id: str) -> str | None:
        """Of the file, in hexadecimal, where it was measured."""
        ...
