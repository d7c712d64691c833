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

    async def delete(self, keys: Sequence[str]) -> frozenset[str]: ...


class WithIndexes:
    """Deletes with every stored recording the index beside it."""

    def __init__(self, blobs: Deleter) -> None:
        self._blobs = blobs

    async def delete(self, keys: Sequence[str]) -> frozenset[str]:
        """As the store does, all of it at once: a store that hangs must not be left with half of it."""
        indexes = []
        for key in keys:
            try:
                indexes.append(index_key(key))
            except InvalidKey as error:
                log.debug("recording_without_index", reason=str(error))
        kept = await self._blobs.delete([*keys, *indexes])
        return kept & frozenset(keys)
