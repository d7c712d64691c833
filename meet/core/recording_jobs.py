"""Keeping recordings true without webhooks: every lost event, crash and left-over lock converges here (contract 6)."""

from __future__ import annotations

import structlog

from .clock import Clock
from .errors import EgressNotActive, EgressNotFound, MediaServerError
from .model.recording import IN_PROGRESS, Egress, Recording
from .ports import MediaServer, RecordingRepository
from .recording_events import RecordingEvents
from .recording_removal import RecordingRemoval
from .settings import CoreSettings

log = structlog.get_logger(__name__)

_TOMBSTONE_LIFE_MS = 30 * 24 * 3_600_000


class RecordingJobs:
    """Jobs over all recordings. A media server that cannot be asked changes nothing."""

    def __init__(
        self,
        *,
        recordings: RecordingRepository,
        media: MediaServer,
        events: RecordingEvents,
        removal: RecordingRemoval,
        clock: Clock,
        settings: CoreSettings,
    ) -> None:
        self._recordings = recordings
        self._media = media
        self._events = events
        self._removal = removal
        self._clock = clock
        self._stale_ms = int(settings.stale_grace_s * 1000)
        self._lock_grace_ms = int(settings.lock_grace_s * 1000)
        self._missing_since: dict[str, int] = {}
        self._empty_since: dict[str, int] = {}

    async def reconcile(self) -> None:
        """Compare every recording in progress with the media server's egress.

        An unknown egress is `aborted` only after the stale grace without interruption, because a recorder that is
        restarted re-appears with the same id. One whose room has been empty as long is stopped: its file is kept."""
        believed = await self._recordings.with_status(IN_PROGRESS)
        try:
            running = {egress.egress_id: egress for egress in await self._media.list_egress(active=True)}
            for egress in running.values():
                await self._events.apply(egress)
            await self._look_for_lost(believed, running)
            await self._stop_stale(believed, running)
        except MediaServerError as error:
            log.warning("recording_reconcile_skipped", reason=error.detail or error.message)

    async def release_locks(self) -> None:
        """Release locks that no recording and no egress stands behind; young ones may be a start under way."""
        await self.release_locks_before(self._clock.now_ms() - self._lock_grace_ms)

    async def release_locks_before(self, before: int) -> None:
        """The same for locks taken up to `before` (ms), however young."""
        locks = [lock for lock in await self._recordings.locks() if lock.created_at <= before]
        if not locks:
            return
        try:
            in_use = {egress.key for egress in await self._media.list_egress(active=True)}
        except MediaServerError as error:
            log.warning("recording_locks_skipped", reason=error.detail or error.message)
            return
        in_use |= {recording.key for recording in await self._recordings.with_status(IN_PROGRESS)}
        for lock in locks:
            if lock.key not in in_use and await self._recordings.release_lock(lock.room_id, lock.key):
                log.info("recording_lock_released", room=lock.room_id)

    async def clean_up(self) -> None:
        """Finish interrupted deletions and forget old tombstones."""
        await self._removal.resume()
        await self._recordings.prune_tombstones(self._clock.now_ms() - _TOMBSTONE_LIFE_MS)

    async def _look_for_lost(self, believed: list[Recording], running: dict[str, Egress]) -> None:
        now = self._clock.now_ms()
        missing: dict[str, int] = {}
        for recording in believed:
            if recording.egress_id in running:
                continue
            found = await self._media.list_egress(egress_id=recording.egress_id)
            if found:
                await self._events.apply(found[0])
                continue
            since = self._missing_since.get(recording.egress_id, now)
            if now - since >= self._stale_ms:
                await self._events.abort(recording, "The media server lost this recording")
            else:
                missing[recording.egress_id] = since
        self._missing_since = missing

    async def _stop_stale(self, believed: list[Recording], running: dict[str, Egress]) -> None:
        """A backstop: a recorder ends by itself when its meeting does."""
        now = self._clock.now_ms()
        rooms = set(await self._media.list_rooms()) if running else set()
        empty: dict[str, int] = {}
        for recording in believed:
            egress = running.get(recording.egress_id)
            if egress is None or egress.status == "ending":
                continue
            if recording.room_id in rooms and await self._media.list_participants(recording.room_id):
                continue
            since = self._empty_since.get(recording.egress_id, now)
            if now - since >= self._stale_ms:
                await self._stop(recording)
            else:
                empty[recording.egress_id] = since
        self._empty_since = empty

    async def _stop(self, recording: Recording) -> None:
        log.warning("stale_recording_stopped", recording=recording.recording_id)
        try:
            await self._events.apply(await self._media.stop_egress(recording.egress_id))
        except (EgressNotFound, EgressNotActive) as error:
            log.debug("egress_already_over", egress=recording.egress_id, reason=error.detail)
