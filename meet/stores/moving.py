"""Bringing recordings into the configured store, while the server goes on with all it does.

A recording is copied, then its row is changed if it still says what it said, and only then, if that is wanted, the old
copy is removed. Until it is, the row lists it, so that a deletion reaches it and a later call can remove it. Whatever a
call has not done, the next one does.
"""

from __future__ import annotations

import fcntl
import hashlib
import secrets
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal, TypeAlias

import structlog

from meet.core.model.recording import Recording
from meet.core.ports import RecordingRepository
from meet.core.store_ports import RecordingPlaces
from meet.recorder.upload.indexes import WithIndexes
from meet.stores.copying import Carrier, NotCopied, Reached
from storage import BlobNotFound, StorageError, StorageMisconfigured, Stores
from storage.keys import recording_key

log = structlog.get_logger(__name__)

_BATCH: Final = 100

Outcome: TypeAlias = Literal["moved", "taken over", "given up", "overtaken"]
"""overtaken: somebody else was faster, by moving or deleting it."""
_TAKEN: Final[Outcome] = "taken over"
_GIVEN_UP: Final[Outcome] = "given up"


class AlreadyMoving(Exception):
    """Another process is at it."""


@dataclass(frozen=True, slots=True)
class Load:
    """What is in one store, and is to be moved."""

    count: int = 0
    size: int = 0


class Mover:
    """One call of `meet recordings move`. scratch: a folder of its own in the data directory."""

    def __init__(
        self,
        stores: Stores,
        recordings: RecordingRepository,
        places: RecordingPlaces,
        *,
        scratch: Path,
        prefix: str,
        reserve: int,
    ) -> None:
        """prefix: where the configured key may write. reserve: bytes that the disk keeps free."""
        self._stores, self._recordings, self._places = stores, recordings, places
        self._scratch, self._prefix = scratch, prefix
        self._carrier = Carrier(stores.current, scratch, reserve)
        self._here_too: dict[str, bool] = {}

    @property
    def target(self) -> str:
        """Name of the configured store."""
        return self._stores.name

    def reaches(self, store: str | None) -> bool:
        """Whether the settings lead to a store."""
        return store is not None and self._stores.knows(store)

    @contextmanager
    def working(self) -> Iterator[None]:
        """Around all moves. Raises AlreadyMoving, OSError."""
        self._scratch.mkdir(parents=True, exist_ok=True)
        with (self._scratch / "lock").open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise AlreadyMoving from None
            for left in (*self._scratch.glob("*.part"), *self._scratch.glob("*.index")):  # by one that was killed
                left.unlink(missing_ok=True)
            yield

    async def sources(self) -> list[str | None]:
        """The stores that have recordings, without the configured one."""
        return [holding.store for holding in await self._places.holdings() if holding.store != self._stores.name]

    async def load(self, sources: Sequence[str | None]) -> dict[str | None, Load]:
        """How much is in each of them."""
        loads = {source: Load() for source in sources}
        async for recording in self.pending(sources):
            before = loads[recording.store]
            loads[recording.store] = Load(before.count + 1, before.size + (recording.size or 0))
        return loads

    async def pending(self, sources: Sequence[str | None]) -> AsyncIterator[Recording]:
        """Those that are in one of the stores, the oldest first."""
        after = 0
        while sources and (batch := await self._places.in_stores(sources, after=after, limit=_BATCH)):
            for _, recording in batch:
                yield recording
            after = batch[-1][0]

    async def move(self, recording: Recording, *, remove: bool, reached: Reached = lambda _done: None) -> Outcome:
        """Bring it here. Raises NotCopied, StorageError, OSError; then its row is what it was."""
        if recording.store is None:
            located = await self._located(recording)
            if located is None or located.store == self._stores.name:
                return "overtaken" if located is None else "taken over"
            recording = located
        former = recording.store
        if former is None or not self._stores.knows(former):
            raise NotCopied(f"no setting leads to {former}: MEET_S3_FORMER_STORES can, or give it up with --forget")
        if await self._is_here(former):
            if (taken := await self._take_over(recording)) is None:
                raise NotCopied("its file is lost")
            return taken
        source = self._stores.get(former)
        try:
            await self._carrier.copy(recording, source, await self._places.sha256(recording.recording_id), reached)
        except BlobNotFound:
            # Else it may have been brought here by other means.
            return await self._take_over(recording) or await self._overtaken(recording, "its file is lost")
        except (StorageError, OSError):
            if await self._recordings.get(recording.recording_id) is None:  # deleted under our hands
                return await self._overtaken(recording, "its entry has changed")
            raise
        if not await self._places.move(recording, self._stores.name, copy_stays=True):
            return await self._overtaken(recording, "its entry has changed")
        log.info("recording_moved", recording=recording.recording_id, store=self._stores.name, former=former)
        if remove:
            copies = tuple(each for each in (*recording.copies, former) if each != self._stores.name)
            await self.remove_copies(replace(recording, store=self._stores.name, copies=copies))
        return "moved"

    async def forget(self, recording: Recording) -> Outcome:
        """Its store is gone for good: its file is the one that is here, an old copy or in another store, or it is lost.

        Raises NotCopied when what is here is something else, StorageError."""
        taken = await self._take_over(recording)
        if taken is not None:
            return taken
        place, outcome = self._stores.name, _GIVEN_UP
        for store in (*filter(self._stores.knows, recording.copies), None):
            with suppress(BlobNotFound):
                place, outcome = (await self._stores.find(recording.key, store, recording.size)).name, _TAKEN
                break
        return outcome if await self._places.move(recording, place, copy_stays=False) else "overtaken"

    async def forget_copies(self, store: str) -> int:
        """It is gone for good, and with it the old copies in it; of how many recordings. One that is still there is not
        forgotten. Raises StorageUnavailable."""
        forgotten = 0
        async for recording in self.copies():
            if store in recording.copies and not await self._still_has(store, recording):
                forgotten += await self._places.forget_copy(recording, store)
        return forgotten

    async def _still_has(self, store: str, recording: Recording) -> bool:
        if not self._stores.knows(store):
            return False
        try:
            await self._stores.get(store).head(recording.key)
        except (BlobNotFound, StorageMisconfigured):
            return False
        return True

    async def _take_over(self, recording: Recording) -> Outcome | None:
        """The file that is here already, None when there is none. Raises as `forget`."""
        target = self._stores.current
        try:
            info = await target.head(recording.key)
        except BlobNotFound:
            return None
        if recording.size and info.size != recording.size:
            raise NotCopied(f"what is here has {info.size} bytes, and was recorded with {recording.size}")
        expected = await self._places.sha256(recording.recording_id)
        if expected is not None:
            digest = hashlib.sha256()
            async with target.open(recording.key, if_match=info.etag) as chunks:
                async for chunk in chunks:
                    digest.update(chunk)
            if digest.hexdigest() != expected:
                raise NotCopied("what is here is not what was recorded: its SHA-256 is another one")
        taken = await self._places.move(recording, self._stores.name, copy_stays=False)
        return "taken over" if taken else "overtaken"

    async def copies(self) -> AsyncIterator[Recording]:
        """Those that were moved, with old copies that are still there."""
        after = 0
        while batch := await self._places.with_copies(after=after, limit=_BATCH):
            for _, recording in batch:
                yield recording
            after = batch[-1][0]

    async def remove_copies(self, recording: Recording) -> int:
        """Remove the old copies, after another look at the file; how many went. Raises NotCopied, StorageError."""
        if recording.store != self._stores.name:
            raise NotCopied(f"it is in {recording.store}: move it first")
        try:
            info = await self._stores.current.head(recording.key)
        except BlobNotFound:
            raise NotCopied("the moved file is lost") from None
        if recording.size and info.size != recording.size:
            raise NotCopied(f"the moved file has {info.size} bytes, and was recorded with {recording.size}")
        removed = 0
        for store in recording.copies:
            if not self._stores.knows(store):
                raise NotCopied(f"the old copy is in {store}, which no setting leads to")
            if not await self._is_here(store) and await WithIndexes(self._stores.get(store)).delete([recording.key]):
                raise NotCopied(f"{store} keeps the old copy")
            if not await self._places.forget_copy(recording, store):
                return removed
            recording = replace(recording, copies=tuple(each for each in recording.copies if each != store))
            removed += 1
        return removed

    async def _located(self, recording: Recording) -> Recording | None:
        """With the store that has its file, which is written down; None when somebody else was faster."""
        try:
            found = await self._stores.find(recording.key, None, recording.size)
        except BlobNotFound:
            raise NotCopied(
                "its file is in none of the stores that are configured: name another one in MEET_S3_FORMER_STORES,"
                " or give it up with --forget unknown"
            ) from None
        settled = await self._places.move(recording, found.name, copy_stays=False)
        return replace(recording, store=found.name) if settled else None

    async def _is_here(self, store: str) -> bool:
        """Whether it is the configured store under another name, where removing a copy would remove the only one.

        Found out with an object that is put here and looked for there. Raises StorageError."""
        if store not in self._here_too:
            key = recording_key(self._prefix, "check", secrets.token_hex(16))
            probe = self._scratch / "probe"
            probe.write_bytes(b"probe")
            await self._stores.current.put_file(key, probe, "application/octet-stream")
            try:
                await self._stores.get(store).head(key)
                self._here_too[store] = True
            except BlobNotFound:
                self._here_too[store] = False
            finally:
                await self._stores.current.delete([key])
                probe.unlink()
        return self._here_too[store]

    async def _overtaken(self, recording: Recording, reason: str) -> Outcome:
        """Nothing may stay here that no row tells of."""
        now = await self._recordings.get(recording.recording_id)
        if now is not None and now.store == recording.store:
            raise NotCopied(reason)
        if now is None or now.store != self._stores.name:
            try:
                await WithIndexes(self._stores.current).delete([recording.key])
            except StorageError as error:
                log.warning("copy_left_behind", recording=recording.recording_id, reason=str(error))
        return "overtaken"
