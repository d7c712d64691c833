"""Deleting recordings: media first, row last, and no step that a crash could leave half done (contract 4.7, 4.9).

A deletion hides the row (durably), removes the object, then removes the row and leaves a tombstone. After a crash
`resume` finishes what was hidden; if the store refuses, does not answer or cannot be reached by any setting, the row is
shown again. So there is never media that nothing points to, and a visible recording without media only when a store did
what it had not confirmed. A hidden row is not moved to another store, so what it says of its file holds.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import structlog

from .clock import Clock
from .errors import EgressNotActive, EgressNotFound, MediaServerError, MeetError
from .model.recording import IN_PROGRESS, Recording
from .ports import BlobDeleter, MediaServer, RecordingRepository
from .recording_events import RecordingEvents

log = structlog.get_logger(__name__)

_POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class Removal:
    """What one call did: ids that it deleted, and why the media of others stay where they are."""

    deleted: tuple[str, ...]
    kept: Mapping[str, MeetError]


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

    async def remove(self, recordings: Sequence[Recording]) -> Removal:
        """Delete finished recordings with their media.

        Raises what the blob store raises, after showing the rows again."""
        wanted = [recording.recording_id for recording in recordings]
        hidden = await self._recordings.begin_delete(wanted, self._clock.now_ms())
        if not hidden:
            return Removal((), {})
        try:
            kept = await self._blobs.delete(await self._recordings.unfinished_deletes(hidden))
        except BaseException:
            await self._recordings.cancel_delete(hidden)
            raise
        return await self._settle(hidden, kept)

    async def _settle(self, hidden: Sequence[str], kept: Mapping[str, MeetError]) -> Removal:
        """Rows that are hidden go, but for those whose media stay: they are shown again."""
        deleted = [identifier for identifier in hidden if identifier not in kept]
        if kept:
            await self._recordings.cancel_delete(list(kept))
        if deleted:
            # Another deletion of the same may have given up, and shown them again, while the store took its time.
            await self._recordings.begin_delete(deleted, self._clock.now_ms())
            await self._recordings.finish_delete(deleted, self._clock.now_ms())
        log.info("recordings_deleted", recordings=deleted, kept=list(kept))
        return Removal(tuple(deleted), kept)

    async def resume(self) -> None:
        """Finish deletions that a crash interrupted."""
        hidden = await self._recordings.unfinished_deletes()
        if hidden:
            await self._settle([recording.recording_id for recording in hidden], await self._blobs.delete(hidden))

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
        removed = await self.remove(everything)
        if removed.kept:
            raise next(iter(removed.kept.values()))
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
