"""Deleting recordings: media first, row last, and no step that a crash could leave half done (contract 4.7, 4.9).

A deletion hides the row (durably), removes the object, then removes the row and leaves a tombstone. After a crash
`resume` finishes what was hidden; if the store refuses, the row is shown again. So there is never a visible recording
without media, nor media that nothing points to.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

import structlog

from .clock import Clock
from .errors import EgressNotActive, EgressNotFound, MediaServerError
from .model.recording import IN_PROGRESS, Recording
from .ports import BlobDeleter, MediaServer, RecordingRepository
from .recording_events import RecordingEvents

log = structlog.get_logger(__name__)

_POLL_S = 0.05


class RecordingRemoval:
    """Removes finished recordings; `all_of_room` finishes the running ones first."""

    def __init__(
        self,
        *,
        recordings: RecordingRepository,
        media: MediaServer,
        blobs: BlobDeleter,
        events: RecordingEvents,
        clock: Clock,
        stop_grace_s: float,
    ) -> None:
        self._recordings = recordings
        self._media = media
        self._blobs = blobs
        self._events = events
        self._clock = clock
        self._stop_grace_s = stop_grace_s

    async def remove(self, recordings: Sequence[Recording]) -> list[str]:
        """Delete finished recordings with their media; returns the ids that this call deleted.

        Raises what the blob store raises, after showing the rows again."""
        keys = {recording.recording_id: recording.key for recording in recordings}
        hidden = await self._recordings.begin_delete(list(keys), self._clock.now_ms())
        if not hidden:
            return []
        try:
            await self._blobs.delete([keys[identifier] for identifier in hidden])
        except BaseException:
            await self._recordings.cancel_delete(hidden)
            raise
        await self._recordings.finish_delete(hidden, self._clock.now_ms())
        log.info("recordings_deleted", recordings=hidden)
        return hidden

    async def resume(self) -> None:
        """Finish deletions that a crash interrupted."""
        hidden = await self._recordings.unfinished_deletes()
        if not hidden:
            return
        await self._blobs.delete([recording.key for recording in hidden])
        identifiers = [recording.recording_id for recording in hidden]
        await self._recordings.finish_delete(identifiers, self._clock.now_ms())
        log.info("deletions_resumed", recordings=identifiers)

    async def all_of_room(self, room_id: str) -> None:
        """Stop what runs, give it a moment, mark the rest aborted, then delete everything of the room."""
        running = [r for r in await self._recordings.of_room(room_id) if r.status in IN_PROGRESS]
        for recording in running:
            try:
                await self._events.apply(await self._media.stop_egress(recording.egress_id))
            except (EgressNotFound, EgressNotActive) as error:
                log.debug("egress_already_over", egress=recording.egress_id, reason=error.detail)
            except MediaServerError as error:
                log.warning("egress_not_stopped", egress=recording.egress_id, reason=error.detail or error.message)
        if running:
            await self._wait_until_over(room_id)
        everything = await self._recordings.of_room(room_id)
        for recording in everything:
            if recording.status in IN_PROGRESS:
                await self._events.abort(recording, "Room deleted", tell=True)
        await self.remove(everything)
        if await self._recordings.any_of_room(room_id):
            await self.resume()  # hidden by a deletion that a crash or a sulking store left unfinished

    async def _wait_until_over(self, room_id: str) -> None:
        """Polling is enough for a wait of one second that may be for events handled by another process."""
        deadline = time.monotonic() + self._stop_grace_s
        while time.monotonic() < deadline:
            if await self._recordings.in_progress_of_room(room_id) is None:
                return
            await asyncio.sleep(_POLL_S)
        log.info("recordings_still_running", room=room_id)
