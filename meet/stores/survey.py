"""At the start: where the recordings are of which the database does not say, and how many are out of reach."""

from __future__ import annotations

import asyncio
from typing import Final

import structlog

from meet.core.errors import MeetError
from meet.core.model.recording import Recording
from meet.core.store_ports import RecordingPlaces
from storage import BlobNotFound, StorageError, Stores

log = structlog.get_logger(__name__)

_BATCH: Final = 100
_LOOKUPS: Final = 5
"""At a time: who plays recordings comes first."""


class Survey:
    """Runs once, beside the requests. Recordings from before the store was written down are looked for, in every store
    that is known. Those that are found nowhere, because of a former bucket say, are looked for again at the next start.
    """

    def __init__(self, stores: Stores, places: RecordingPlaces) -> None:
        self._stores, self._places = stores, places
        self._running: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin; nobody has to wait for it."""
        self._running = asyncio.create_task(self.run())

    async def stop(self) -> None:
        """End it, wherever it is."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)

    async def run(self) -> None:
        """Look, write down what was found, and log what is out of reach."""
        try:
            await self._settle()
        except (StorageError, MeetError) as error:  # of a store, or of the database
            log.warning("recordings_not_looked_for", reason=str(error))
        for holding in await self._places.holdings():
            if holding.store is None:
                log.warning("recordings_in_no_known_store", count=holding.count)
            elif holding.store != self._stores.name:
                await self._tell(holding.store, holding.count)

    async def _tell(self, store: str, count: int) -> None:
        try:
            await self._stores.reach(store)
        except StorageError as error:
            log.warning("recordings_out_of_reach", store=store, count=count, reason=str(error))
        else:
            log.info("recordings_in_former_store", store=store, count=count)

    async def _settle(self) -> None:
        """Raises StorageError when a store does not answer, MeetError when nothing can be written down; then the rest
        is for the next start."""
        slots = asyncio.Semaphore(_LOOKUPS)

        async def look(recording: Recording) -> bool:
            async with slots:
                try:
                    found = await self._stores.find(recording.key, None, recording.size)
                except BlobNotFound:
                    return False
                return await self._places.move(recording, found.name, copy_stays=False)

        settled, after = 0, 0
        while batch := await self._places.in_stores([None], after=after, limit=_BATCH):
            try:
                async with asyncio.TaskGroup() as group:
                    looking = [group.create_task(look(recording)) for _, recording in batch]
            except BaseExceptionGroup as failed:
                raise failed.exceptions[0] from None
            settled += sum(task.result() for task in looking)
            after = batch[-1][0]
        if settled:
            log.info("recordings_found_in_stores", count=settled)
