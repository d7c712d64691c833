"""MediaEvents: what the media server's webhooks mean (contract 5.6). The surface verifies them, this acts on them.

Every method is idempotent; events about rooms that are not ours are ignored.
"""

from __future__ import annotations

import structlog

from .assistants import AssistantService
from .model.media import MediaParticipant
from .model.recording import Egress
from .ports import NameRepository, RecordingRepository
from .recording_events import RecordingEvents
from .room_lifecycle import RoomLifecycle
from .signals import Signals
from .token_codec import decode_metadata

log = structlog.get_logger(__name__)


class MediaEvents:
    """One method per kind of event."""

    def __init__(
        self,
        *,
        lifecycle: RoomLifecycle,
        egress: RecordingEvents,
        recordings: RecordingRepository,
        names: NameRepository,
        assistants: AssistantService,
        signals: Signals,
        name_id: str,
    ) -> None:
        self._lifecycle = lifecycle
        self._egress = egress
        self._recordings = recordings
        self._names = names
        self._assistants = assistants
        self._signals = signals
        self._name_id = name_id

    async def room_started(self, room: str, metadata: str | None) -> None:
        """A media room began. `metadata` is the media room's, None or empty when the event carries none."""
        if self._ours(room, metadata):
            await self._lifecycle.started(room)

    async def room_finished(self, room: str, metadata: str | None) -> None:
        """A media room ended."""
        if self._ours(room, metadata):
            await self._lifecycle.finished(room)

    async def participant_joined(self, room: str, participant: MediaParticipant) -> None:
        """Tell a late joiner about a recording under way."""
        if participant.kind != "standard":
            return
        recording = await self._recordings.in_progress_of_room(room)
        if recording is not None:
            self._signals.recording(recording, sids=[participant.sid])

    async def participant_left(self, room: str, participant: MediaParticipant) -> None:
        """Free the name of who left, and with the last who wanted captions, the agent."""
        if participant.kind != "standard":
            return
        if participant.name:
            await self._names.release(room, participant.name)
        await self._assistants.left(room, participant.identity)

    async def egress_changed(self, egress: Egress) -> None:
        """An egress was started, updated or ended."""
        await self._egress.apply(egress)

    def _ours(self, room: str, metadata: str | None) -> bool:
        """Rooms stamped by another project are not ours; without a stamp the database decides."""
        if not metadata:
            return True
        stamp = (decode_metadata(metadata) or {}).get("createdBy")
        if stamp in (None, self._name_id):
            return True
        log.debug("foreign_room_event_ignored", room=room)
        return False
