"""Messages to the clients in a meeting, over the media server's data channel (contract 7.4).

A signal is a courtesy: it is sent in the background and a failure is logged, never raised.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import structlog

from .clock import Clock
from .errors import MediaServerError
from .model.recording import Recording
from .ports import MediaServer

log = structlog.get_logger(__name__)

RECORDING_UPDATED = "meet_recording_updated"
RECORDING_PAUSED = "meet_extra_recording_paused"
ROLE_UPDATED = "meet_participant_role_updated"
PERMISSIONS_UPDATED = "meet_participant_permissions_updated"


class Signals:
    """Sends signals; `drain` waits for those under way."""

    def __init__(self, media: MediaServer, clock: Clock) -> None:
        self._media = media
        self._clock = clock
        self._pending: set[asyncio.Task[None]] = set()

    def recording(self, recording: Recording, *, sids: Sequence[str] = ()) -> None:
        """A recording changed: tell everyone in its room, or only the given participant sids."""
        self._recording(recording.room_id, recording.to_document(), sids)

    def recording_starting(self, room_id: str) -> None:
        """A start was asked for and has no id yet."""
        self._recording(room_id, {"recordingId": "", "roomId": room_id, "roomName": room_id, "status": "starting"})

    def recording_failed(self, room_id: str, error: str) -> None:
        """A start came to nothing."""
        document = {"recordingId": "", "roomId": room_id, "roomName": room_id, "status": "failed", "error": error}
        self._recording(room_id, document)

    def recording_paused(self, recording: Recording, paused: bool) -> None:
        """A recording was paused or goes on; not in the dialect, so its clients are not bothered with it."""
        payload = {
            "roomId": recording.room_id,
            "recordingId": recording.recording_id,
            "paused": paused,
            "timestamp": self._clock.now_ms(),
        }
        self._post(recording.room_id, RECORDING_PAUSED, payload)

    def participant_role(self, room_id: str, identity: str, badge: str) -> None:
        """A participant was promoted or demoted: tell them, so that they fetch a fresh token."""
        payload = {
            "roomId": room_id,
            "participantIdentity": identity,
            "newBadge": badge,
            "timestamp": self._clock.now_ms(),
        }
        self._post(room_id, ROLE_UPDATED, payload, identities=[identity])

    def participant_permissions(self, room_id: str, identity: str) -> None:
        """The rights of a participant changed: tell them, so that they ask for a token with the new ones."""
        payload = {"roomId": room_id, "participantIdentity": identity, "timestamp": self._clock.now_ms()}
        self._post(room_id, PERMISSIONS_UPDATED, payload, identities=[identity])

    async def drain(self) -> None:
        """Wait until nothing is being sent."""
        while self._pending:
            await asyncio.gather(*self._pending, return_exceptions=True)

    def _recording(self, room_id: str, recording: dict[str, Any], sids: Sequence[str] = ()) -> None:
        payload = {"roomId": room_id, "recording": recording, "timestamp": self._clock.now_ms()}
        self._post(room_id, RECORDING_UPDATED, payload, sids=sids)

    def _post(
        self,
        room_id: str,
        topic: str,
        payload: dict[str, Any],
        *,
        identities: Sequence[str] = (),
        sids: Sequence[str] = (),
    ) -> None:
        task = asyncio.create_task(self._send(room_id, topic, payload, identities, sids))
        self._pending.add(task)
        task.add_done_callback(self._pending.discard)

    async def _send(
        self, room_id: str, topic: str, payload: dict[str, Any], identities: Sequence[str], sids: Sequence[str]
    ) -> None:
        data = json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()
        try:
            await self._media.send_data(room_id, data, topic=topic, identities=identities, sids=sids)
        except MediaServerError as error:
            log.debug("signal_not_sent", room=room_id, topic=topic, reason=error.detail or error.message)
