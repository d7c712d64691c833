"""The index of a recording's fragments is deleted with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import structlog

from storage import InvalidKey
from storage.keys import index_key

log = structlog.get_logger(__name__)


class Deleter(Protocol):
    """Deletes stored files."""

    async def delete(self, keys: Sequence[str]) -> None: ...


class WithIndexes:
    """Deletes with every stored recording the index beside it."""

    def __init__(self, blobs: Deleter) -> None:
        self._blobs = blobs

    async def delete(self, keys: Sequence[str]) -> None:
        """As the store does; indexes first, so that none stays behind alone."""
        indexes = []
        for key in keys:
            try:
                indexes.append(index_key(key))
            except InvalidKey as error:
                log.debug("recording_without_index", reason=str(error))
        await self._blobs.delete(indexes)
        await self._blobs.delete(keys)
