"""Sending the finished part of a recording while the rest is still being made."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import structlog

import storage
from meet.config import Settings
from meet.recorder.composer.profile import Profile
from meet.recorder.upload.settled import Settled
from meet.recorder.upload.silence import WORTH_TELLING_S, telling
from storage import Behind, BlobStore, Pace, StorageError, StorageMisconfigured

log = structlog.get_logger(__name__)

_POLL_S: Final = 2.0
_FIRST_RETRY_S: Final = 1.0
_MAX_RETRY_S: Final = 60.0
_ASK_EVERY_S: Final = 60.0
"""So long after the last part the store is asked whether it would take one: a still meeting fills none for minutes."""
_FIRST_ASKED_AFTER_S: Final = 5.0
"""Loading what S3 needs can wait until the recording has begun."""
_FASTER_THAN_IT_GROWS: Final = 4
_SLOWEST: Final = 1024 * 1024
"""Bytes per second; what the meeting itself needs of the line comes first."""


class UploadBehind:
    """One recording's upload, on the event loop of its recorder; reading, hashing and waiting are for other threads.

    It holds no more than a few chunks of 64 KiB, sends one part at a time, four times as fast as the file grows, and
    never raises: whatever it has not achieved is done by `put_file` of the `store`, which knows what is there.
    """

    def __init__(
        self, settings: Settings, path: Path, key: str, profile: Profile, on_trouble: Callable[[str | None], None]
    ) -> None:
        """on_trouble: told why the store has not taken anything for a while, and None when it does again."""
        self._settings = settings
        self._path, self._key, self._profile = path, key, profile
        self._progress = path.with_suffix(".upload")
        self._on_trouble = on_trouble
        self._store: BlobStore | None = None
        self._pace = Pace(_SLOWEST)
        self._over = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._sending: Behind | None = None
        self._told = False

    def start(self, left: int = 0) -> None:
        """Go along with a file that this process has begun, or goes on with behind the bytes that another has `left`.

        Not when all of it is there. A file that was begun before is given up."""
        if not self._over.is_set():
            self._task = asyncio.create_task(self._run(left, self._task))

    async def store(self) -> BlobStore:
        """The store, for all that is left: the file is complete, or there will be none. Raises StorageError."""
        self._over.set()
        self._pace.rate = None
        if self._task is not None:
            await self._task
        return await self._open()

    async def abandon(self) -> None:
        """The file is made again, or nobody wants it: what was sent is of no use. Ends the sending."""
        try:
            behind = self._behind(await self.store())
        except StorageError as error:
            log.warning("upload_not_abandoned", reason=str(error))
            return
        if behind is not None:
            await behind.abandon()

    async def close(self) -> None:
        """Give the store's connections back, at once."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._store is not None:
            await self._store.close()
            self._store = None

    async def _open(self) -> BlobStore:
        if self._store is None:
            # Imports botocore, where S3 is used.
            self._store = await asyncio.to_thread(storage.create, self._settings)
        return self._store

    def _behind(self, store: BlobStore) -> Behind | None:
        return store.behind(self._key, self._path, self._profile.content_type, progress=self._progress)

    async def _run(self, left: int, before: asyncio.Task[None] | None) -> None:
        if before is not None:
            before.cancel()
            await asyncio.gather(before, return_exceptions=True)
        try:
            store = await self._open()
            behind = self._behind(store)
        except StorageError as error:
            log.warning("upload_behind_impossible", reason=str(error))
            return
        if behind is None:
            return
        if self._sending is not None:
            await self._sending.abandon()  # at once: the end, too, would trust what was sent of the other file
        self._sending = behind
        settled, began = Settled(self._path, self._profile.container, left), time.monotonic()
        resuming, base = left > 0, 0
        heard_at = began - _ASK_EVERY_S + _FIRST_ASKED_AFTER_S
        agreed = False
        failing_since: float | None = None
        delay = _FIRST_RETRY_S
        while not self._over.is_set():
            tried_at = time.monotonic()
            try:
                final = await asyncio.to_thread(settled.bytes)
                if resuming and final:
                    await behind.resume(final)
                    resuming, base, began = False, final, time.monotonic()
                grown = final - base
                self._pace.rate = max(_SLOWEST, _FASTER_THAN_IT_GROWS * grown / (time.monotonic() - began + 1))
                first = final > 0 and not agreed and tried_at - began >= _FIRST_ASKED_AFTER_S
                asking = first or tried_at - heard_at >= _ASK_EVERY_S
                async with telling(self._progress, self._not_stored):
                    sent = await behind.advance(final, self._pace)
                    if not sent and asking:
                        # What is not there yet may never be, and then nobody would end an upload that was begun.
                        await (behind.ask() if final else store.check())
                if not sent and not asking:
                    await self._pause(_POLL_S)
                    continue
            except (StorageError, OSError) as error:
                failing_since = failing_since or tried_at
                log.warning("upload_behind_failed", key=self._key, error=str(error), retry_in_s=delay)
                # Only an operator can help with the one, the other may pass.
                if isinstance(error, StorageMisconfigured) or time.monotonic() - failing_since >= WORTH_TELLING_S:
                    self._not_stored(str(error))
                await self._pause(delay)
                delay = min(delay * 2, _MAX_RETRY_S)
                continue
            if sent:
                log.info("part_stored_behind", key=self._key, size=sent)
            agreed = final > 0
            heard_at, failing_since, delay = time.monotonic(), None, _FIRST_RETRY_S
            self._tell(None)

    def _not_stored(self, reason: str) -> None:
        self._tell(f"what is recorded cannot be stored yet: {reason}")

    def _tell(self, trouble: str | None) -> None:
        if trouble is not None or self._told:
            self._told = trouble is not None
            self._on_trouble(trouble)

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._over.wait()
        except TimeoutError:
            return
