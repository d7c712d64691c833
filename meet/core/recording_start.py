"""Starting a recording: lock, egress, wait for the first frames; nothing is left of a failure (contract 4.3)."""

from __future__ import annotations

import asyncio

import structlog

from .clock import Clock
from .errors import AlreadyRecording, DatabaseUnavailable, MediaServerError, NoParticipants
from .ids import new_recording_uid, recording_key
from .model.encoding import Encoding, Layout
from .model.recording import Recording
from .model.recording_facts import Compose
from .ports import MediaServer, RecordingRepository
from .recorder_ports import Recorder
from .recording_errors import RecordingRefused, RecordingStartTimeout
from .recording_events import RecordingEvents
from .recording_leftovers import Leftovers
from .settings import CoreSettings
from .signals import Signals

log = structlog.get_logger(__name__)


class RecordingStarter:
    """One start at a time per room, guarded by a row in the database."""

    def __init__(
        self,
        *,
        recordings: RecordingRepository,
        media: MediaServer,
        events: RecordingEvents,
        recorder: Recorder,
        signals: Signals,
        clock: Clock,
        settings: CoreSettings,
    ) -> None:
        self._recordings = recordings
        self._media = media
        self._recorder = recorder
        self._events = events
        self._signals = signals
        self._clock = clock
        self._settings = settings
        self._running: set[asyncio.Task[Recording]] = set()
        self._leftovers = Leftovers(self._abandon)

    async def start(
        self,
        room_id: str,
        layout: Layout,
        encoding: Encoding,
        compose: Compose | None = None,
        *,
        audio_only: bool = False,
    ) -> Recording:
        """Record the room. Raises AlreadyRecording, NoParticipants, RecordingStartTimeout, RecordingRefused,
        MediaServerError.

        compose: only our own media server can be told; raises RecorderMissing for another one.
        Runs to its end even if the caller goes away: a half-started recording is either finished or cleaned up."""
        key = recording_key(self._settings.storage_prefix, room_id, new_recording_uid())
        try:
            await self._leftovers.settle(room_id)
            acquired = await self._recordings.acquire_lock(room_id, key, self._clock.now_ms())
        except DatabaseUnavailable as error:
            raise self._refused(room_id, error) from error
        if not acquired:
            raise AlreadyRecording(room_id)
        task = asyncio.create_task(self._start(room_id, key, layout, encoding, compose, audio_only))
        self._running.add(task)
        task.add_done_callback(self._forget)
        return await asyncio.shield(task)

    async def drain(self) -> None:
        """Wait until no start is under way."""
        while self._running:
            await asyncio.gather(*self._running, return_exceptions=True)
        await self._leftovers.close()

    def _forget(self, task: asyncio.Task[Recording]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            task.exception()  # seen here, in case nobody waits for it any more

    async def _start(
        self,
        room_id: str,
        key: str,
        layout: Layout,
        encoding: Encoding,
        compose: Compose | None,
        audio_only: bool,
    ) -> Recording:
        if not await self._has_participants(room_id):
            await self._leftovers.give_up(room_id, key)
            raise NoParticipants(room_id)
        self._signals.recording_starting(room_id)
        egress_id: str | None = None
        try:
            async with asyncio.timeout(self._settings.recording_start_timeout_s):
                if compose is None:
                    egress = await self._media.start_room_composite(
                        room_id, layout=layout, encoding=encoding, key=key, audio_only=audio_only
                    )
                else:
                    egress = await self._recorder.start(
                        room_id, layout=layout, encoding=encoding, key=key, compose=compose, audio_only=audio_only
                    )
                egress_id = egress.egress_id
                await self._events.apply(egress)
                return await self._until_active(room_id, egress_id)
        except Exception as error:
            late = await self._leftovers.give_up(room_id, key)
            if late is not None:  # it became active while we were giving up
                return late
            reason = error.detail if isinstance(error, RecordingRefused) else type(error).__name__
            log.warning("recording_start_failed", room=room_id, egress=egress_id, reason=reason)
            await self._stop_leftovers(room_id, key, egress_id)
            self._signals.recording_failed(room_id, "Recording could not be started")
            if isinstance(error, TimeoutError):
                raise RecordingStartTimeout(room_id) from None
            if isinstance(error, DatabaseUnavailable):
                raise self._refused(room_id, error) from error
            raise

    def _refused(self, room_id: str, error: DatabaseUnavailable) -> RecordingRefused:
        log.warning("recording_start_refused", room=room_id, reason=error.message)
        return RecordingRefused(room_id, error.message)

    async def _abandon(self, room_id: str, key: str) -> Recording | None:
        return await self._recordings.abandon(room_id, key, self._clock.now_ms(), self._events.start_failed)

    async def _has_participants(self, room_id: str) -> bool:
        """A listing error counts as an empty room (contract 4.3)."""
        try:
            return bool(await self._media.list_participants(room_id))
        except MediaServerError as error:
            log.warning("participants_not_listed", room=room_id, reason=error.detail or error.message)
            return False

    async def _until_active(self, room_id: str, egress_id: str) -> Recording:
        """Wait for the event of the webhook, and ask the media server in between in case it got lost."""
        changed = self._events.watch(egress_id)
        try:
            while True:
                changed.clear()
                recording = await self._recordings.get_by_egress(egress_id)
                if recording is None or recording.status in ("failed", "aborted"):
                    raise RecordingStartTimeout(room_id)
                if recording.status != "starting":
                    return recording
                try:
                    async with asyncio.timeout(self._settings.recording_poll_interval_s):
                        await changed.wait()
                except TimeoutError:
                    await self._poll(egress_id)
        finally:
            self._events.unwatch(egress_id)

    async def _poll(self, egress_id: str) -> None:
        try:
            for egress in await self._media.list_egress(egress_id=egress_id):
                await self._events.apply(egress)
        except MediaServerError as error:
            log.info("egress_not_listed", egress=egress_id, reason=error.detail or error.message)

    async def _stop_leftovers(self, room_id: str, key: str, egress_id: str | None) -> None:
        """Stop the egress of a start that was given up; without an id, the one that writes to our key.

        What cannot be stopped now is stopped by the reconcile job, which meets the tombstone."""
        try:
            if egress_id is None:
                started = await self._media.list_egress(room=room_id, active=True)
                egress_id = next((egress.egress_id for egress in started if egress.key == key), None)
            if egress_id is not None:
                await self._media.stop_egress(egress_id)
        except MediaServerError as error:
            log.info("egress_not_stopped", room=room_id, egress=egress_id, reason=error.detail or error.message)
