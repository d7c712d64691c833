"""Whether a store can be used, for those who ask every few seconds."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from .blob import BlobStore
from .errors import StorageError


class StoreProbe:
    """Asks whether the store answers every time, and whether it takes new blobs only now and then, which costs it more.

    every_s: how long the store's word that it does is believed. refused_s: after how long it is asked again when it
    does not; so it is what passes at most until a permission that was given back is noticed.
    """

    def __init__(
        self,
        store: BlobStore,
        *,
        every_s: float = 60.0,
        refused_s: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._every_s, self._refused_s = every_s, refused_s
        self._clock = clock
        self._asking: asyncio.Task[StorageError | None] | None = None
        self._next = float("-inf")

    async def check(self) -> None:
        """Raises what `BlobStore.check` raises. Once a store has refused a file, it does until it would take one."""
        asking = self._asking
        if asking is None or (asking.done() and self._clock() >= self._next):
            asking = self._asking = asyncio.create_task(self._ask())
        elif asking.done():
            await self._store.check()
        # Whoever asked may go away, and several may ask at once: what is begun at the store is taken back in any case.
        refused = await asyncio.shield(asking)
        if refused is not None:
            raise refused

    async def _ask(self) -> StorageError | None:
        try:
            await self._store.check(writing=True)
        except StorageError as error:
            self._next = self._clock() + self._refused_s
            return error
        self._next = self._clock() + self._every_s
        return None
