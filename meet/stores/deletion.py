"""Deleting recordings' files where they are, with what lies beside them, and never leaving one behind unsaid."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import structlog

from meet.core.errors import MeetError
from meet.core.model.recording import Recording
from meet.core.recording_errors import RecordingElsewhere, RecordingKept
from meet.recorder.tracks import kept as journals
from meet.recorder.upload.indexes import WithIndexes
from storage import BlobNotFound, StorageError, Stores, StoreUnknown

log = structlog.get_logger(__name__)

_LOOKUPS: Final = 10


class Deletion:
    """Implements `meet.core.ports.BlobDeleter`. spool: has journals that were kept, which go with their recordings."""

    def __init__(self, stores: Stores, spool: Path) -> None:
        self._stores, self._spool = stores, spool

    async def delete(self, recordings: Sequence[Recording]) -> Mapping[str, MeetError]:
        """Remove every copy of their files, that in their own store last: it is the one that is shown again when
        another one cannot be removed."""
        kept: dict[str, MeetError] = {}
        trouble: list[StorageError] = []
        ways = await self._ways(recordings, kept, trouble)
        while ways:
            here: defaultdict[str, list[Recording]] = defaultdict(list)
            for recording, (store, *_) in ways:
                here[store].append(recording)
            for store, group in here.items():
                kept |= await self._delete_in(store, group, trouble)
            ways = [(each, rest) for each, (_, *rest) in ways if rest and each.recording_id not in kept]
        gone = [recording.key for recording in recordings if recording.recording_id not in kept]
        if trouble and not gone:
            raise trouble[0]
        await journals.forget(self._spool, gone)
        return kept

    async def discard(self, key: str, store: str | None) -> None:
        """Remove a file that no row tells of. A store that is not known keeps it."""
        name = store or self._stores.name
        try:
            await WithIndexes(self._stores.get(name)).delete([key])
        except StoreUnknown:
            log.warning("file_left_in_unknown_store", key=key, store=name)
        await journals.forget(self._spool, [key])

    async def _delete_in(
        self, store: str, group: Sequence[Recording], trouble: list[StorageError]
    ) -> dict[str, MeetError]:
        try:
            refused = await WithIndexes(self._stores.get(store)).delete([recording.key for recording in group])
        except StorageError as error:
            log.warning("files_not_deleted", store=store, count=len(group), reason=str(error))
            trouble.append(error)
            refused = frozenset(recording.key for recording in group)
        return {each.recording_id: RecordingKept(each.recording_id) for each in group if each.key in refused}

    async def _ways(
        self, recordings: Sequence[Recording], kept: dict[str, MeetError], trouble: list[StorageError]
    ) -> list[tuple[Recording, list[str]]]:
        """Each recording with the stores to delete it in, one after the other; without those that have to be kept."""
        slots = asyncio.Semaphore(_LOOKUPS)
        ways: list[tuple[Recording, list[str]]] = []

        async def look(recording: Recording) -> None:
            async with slots:
                try:
                    own, copies = await self._own(recording), self._copies(recording)
                    # A move that was interrupted may have left one here that is not written down.
                    others = [each for each in dict.fromkeys((self._stores.name, *copies)) if each != own]
                    ways.append((recording, [*others, own]))
                except StoreUnknown as error:
                    log.warning("recording_in_unknown_store", recording=recording.recording_id, store=error.name)
                    kept[recording.recording_id] = RecordingElsewhere(recording.recording_id)
                except StorageError as error:
                    trouble.append(error)
                    kept[recording.recording_id] = RecordingKept(recording.recording_id)

        await asyncio.gather(*map(look, recordings))
        return ways

    def _copies(self, recording: Recording) -> list[str]:
        """Raises StoreUnknown."""
        for store in recording.copies:
            if not self._stores.knows(store):
                raise StoreUnknown(store)
        return list(recording.copies)

    async def _own(self, recording: Recording) -> str:
        """The store that has the file. Raises StoreUnknown, and what the stores raise."""
        store = recording.store
        known = store is not None and self._stores.knows(store)
        if store == self._stores.name or (not recording.has_media and not known):
            return self._stores.name
        if store is not None and not known:  # whatever was copied here, the original stays there
            raise StoreUnknown(store)
        try:
            return (await self._stores.find(recording.key, store, recording.size)).name
        except BlobNotFound:
            if store is None:
                raise StoreUnknown("(not known)") from None
            return store  # it is lost: nothing is left there but its index
