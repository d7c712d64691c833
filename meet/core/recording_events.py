"""What the media server says about egress, turned into recordings (contract 4.2).

Events may come twice, late, out of order or never; the conditional writes of the repository make every order end in
the same state.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

import structlog

from .clock import Clock
from .errors import MediaServerError
from .ids import new_secret, recording_filename, recording_id, uid_of_key
from .model.recording import IN_PROGRESS, Egress, Recording
from .model.room import Room
from .model.webhook import Announcement
from .ports import BlobDeleter, MediaServer, RecordingRepository, RoomRepository
from .signals import Signals
from .webhook_events import WebhookEvents

log = structlog.get_logger(__name__)


class RecordingEvents:
    """Applies egress states and wakes whoever waits for one."""

    def __init__(
        self,
        *,
        rooms: RoomRepository,
        recordings: RecordingRepository,
        media: MediaServer,
        blobs: BlobDeleter,
        signals: Signals,
        webhooks: WebhookEvents,
        wake: Callable[[], None],
        clock: Clock,
        store: str | None = None,
    ) -> None:
        """store: name of the one that new recordings go to."""
        self._rooms = rooms
        self._recordings = recordings
        self._media = media
        self._blobs = blobs
        self._signals = signals
        self._webhooks = webhooks
        self._wake = wake
        self._clock = clock
        self._store = store
        self._changed: dict[str, asyncio.Event] = {}

    async def apply(self, egress: Egress) -> Recording | None:
        """Record the state of one egress; returns what is stored afterwards.

        None when the egress is no recording of ours, or one that was deleted or given up: that one is stopped, and a
        file that it still produced is removed."""
        uid = uid_of_key(egress.room_name, egress.key)
        if uid is None:
            log.info("foreign_egress_ignored", room=egress.room_name, egress=egress.egress_id)
            return None
        identifier = recording_id(egress.room_name, egress.egress_id, uid)
        stored = await self._recordings.get(identifier)
        if stored is None:
            stored = await self._create(egress, identifier, uid)
            if stored is None:
                await self._discard(egress)
                return None
        if not _explains(stored, egress) and not _says_something_new(stored, egress):
            return stored
        changed = _with_egress(stored, egress, self._clock.now_ms())

        def announce(before: Recording) -> Announcement | None:
            # The same news may be on its way through a webhook of the media server and the answer to a request.
            return self._webhooks.recording_changed(changed) if _says_something_new(before, egress) else None

        written = await self._recordings.advance(changed, announce)
        if written is None:
            return await self._recordings.get(identifier)
        self._announce(written)
        return written

    async def abort(self, recording: Recording, reason: str, *, tell: bool = False) -> None:
        """Give up a recording whose egress is lost; a no-op when it ended in the meantime.

        No signal, and no webhook either (contract 6) unless `tell`: for those whose end nobody else will report."""
        now = self._clock.now_ms()
        aborted = replace(recording, status="aborted", end_date=now, error=reason, updated_at=now)
        told = self._webhooks.recording_changed(aborted) if tell else None
        if await self._recordings.advance(aborted, lambda _before: told) is not None:
            self._wake()
            log.warning("recording_aborted", recording=recording.recording_id, reason=reason)

    def start_failed(self, recording: Recording) -> Announcement:
        """The last word on a recording whose start was announced and then came to nothing."""
        now = self._clock.now_ms()
        failed = replace(
            recording, status="failed", end_date=now, error="Recording could not be started", updated_at=now
        )
        return self._webhooks.recording_changed(failed)

    def watch(self, egress_id: str) -> asyncio.Event:
        """An event set at every change of this egress; give it back with `unwatch`."""
        return self._changed.setdefault(egress_id, asyncio.Event())

    def unwatch(self, egress_id: str) -> None:
        self._changed.pop(egress_id, None)

    async def _create(self, egress: Egress, identifier: str, uid: str) -> Recording | None:
        room = await self._rooms.get(egress.room_name)
        if room is None:
            return None
        made = replace(_new_recording(room, egress, identifier, uid), store=self._store)
        recording = _with_egress(made, egress, self._clock.now_ms())
        if await self._recordings.create(recording, self._webhooks.recording_created(recording)):
            self._announce(recording)
            return recording
        return await self._recordings.get(identifier)

    async def _discard(self, egress: Egress) -> None:
        """Nothing of a deleted or abandoned recording may stay behind.

        Only tombstones say that an egress was ours: the media server may serve other deployments, too."""
        if egress.status == "ending" or not await self._recordings.is_tombstoned(egress.key):
            return
        log.info("orphan_egress", room=egress.room_name, egress=egress.egress_id, status=egress.status)
        if egress.status in IN_PROGRESS:
            try:
                await self._media.stop_egress(egress.egress_id)
            except MediaServerError as error:
                log.info("orphan_egress_not_stopped", egress=egress.egress_id, reason=error.message)
        else:
            await self._blobs.discard(egress.key, egress.store)

    def _announce(self, recording: Recording) -> None:
        log.info("recording_status", recording=recording.recording_id, status=recording.status)
        event = self._changed.get(recording.egress_id)
        if event is not None:
            event.set()
        self._signals.recording(recording)
        self._wake()


def _new_recording(room: Room, egress: Egress, identifier: str, uid: str) -> Recording:
    return Recording(
        recording_id=identifier,
        room_id=room.room_id,
        egress_id=egress.egress_id,
        room_name=room.room_name,
        status=egress.status,
        layout=egress.layout,
        encoding=egress.encoding,
        filename=recording_filename(room.room_id, uid, egress.file_ending),
        key=egress.key,
        room_owner=room.owner,
        room_user_access=room.speaker_may_retrieve,
        audio_only=egress.audio_only,
        public_secret=new_secret(),
        private_secret=new_secret(),
    )


def _with_egress(stored: Recording, egress: Egress, now: int) -> Recording:
    """`stored` with the facts of `egress`; what the egress leaves out is kept."""
    return replace(
        stored,
        status=egress.status,
        layout=egress.layout,
        encoding=egress.encoding,
        start_date=egress.started_at_ms or stored.start_date or egress.updated_at_ms or now,
        end_date=egress.ended_at_ms or stored.end_date,
        duration=egress.duration_s or stored.duration,
        size=egress.size or stored.size,
        # The settings may have changed between its beginning and its end.
        store=egress.store or stored.store,
        error_code=egress.error_code or stored.error_code,
        error=egress.error or stored.error,
        # Why what is being recorded cannot be stored, until it can; a reason to end stays.
        details=egress.details if egress.status == "active" else egress.details or stored.details,
        updated_at=_changed_at(stored, egress, now),
    )


def _changed_at(stored: Recording, egress: Egress, now: int) -> int:
    """When the status became what it is: other details make it no younger."""
    same = stored.updated_at and stored.status == egress.status
    return stored.updated_at if same else egress.updated_at_ms or now


def _explains(stored: Recording, egress: Egress) -> bool:
    """True when other details are told of a recording that is not over. Nobody but who looks at it is told so."""
    if egress.status == "active":
        return egress.details != stored.details
    return egress.status == "ending" and egress.details not in (None, stored.details)


def _says_something_new(stored: Recording, egress: Egress) -> bool:
    """False for repetitions, so that polling a running egress does not write, and tell everybody, at every turn.

    An end date on its own is none: it comes again with the final status."""
    return (egress.status, egress.layout, egress.error) != (stored.status, stored.layout, stored.error)
