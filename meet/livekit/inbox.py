"""Hands verified webhooks to the domain (contract 5.6)."""

from __future__ import annotations

from collections import OrderedDict
from hashlib import sha256
from typing import Final, Protocol

import structlog
from livekit.protocol.webhook import WebhookEvent

from meet.core.model.media import MediaParticipant
from meet.core.model.recording import Egress
from meet.livekit.egress import is_recording, to_egress
from meet.livekit.participants import to_participant
from meet.livekit.webhook import WebhookVerifier

log = structlog.get_logger(__name__)

_REMEMBERED: Final = 1024


class MediaEventHandler(Protocol):
    """What the domain does with events; `meet.core.media_events.MediaEvents`."""

    async def room_started(self, room: str, metadata: str | None) -> None: ...

    async def room_finished(self, room: str, metadata: str | None) -> None: ...

    async def participant_joined(self, room: str, participant: MediaParticipant) -> None: ...

    async def participant_left(self, room: str, participant: MediaParticipant) -> None: ...

    async def egress_changed(self, egress: Egress) -> None: ...


class WebhookInbox:
    """Verify, suppress repetitions, dispatch."""

    def __init__(self, verifier: WebhookVerifier, handler: MediaEventHandler) -> None:
        self._verifier = verifier
        self._handler = handler
        self._handled: OrderedDict[bytes, None] = OrderedDict()

    async def deliver(self, body: bytes, authorization: str | None) -> None:
        """Act on one posted event. Raises InvalidWebhook, and whatever the domain raises.

        A delivery that was handled before is ignored; one whose handling failed may come again. Its bytes tell, not
        its id alone: a sender that numbers its events anew after a restart must be heard."""
        event = self._verifier.receive(body, authorization)
        identity = sha256(body).digest()
        if event.id and identity in self._handled:
            log.debug("webhook_repeated", event_name=event.event, event_id=event.id)
            return
        self._handled[identity] = None
        if len(self._handled) > _REMEMBERED:
            self._handled.popitem(last=False)
        try:
            await self._dispatch(event)
        except BaseException:
            self._handled.pop(identity, None)
            raise

    async def _dispatch(self, event: WebhookEvent) -> None:
        room = event.room
        if event.event == "room_started":
            await self._handler.room_started(room.name, room.metadata or None)
        elif event.event == "room_finished":
            await self._handler.room_finished(room.name, room.metadata or None)
        elif event.event == "participant_joined":
            await self._handler.participant_joined(room.name, to_participant(event.participant))
        elif event.event == "participant_left":
            await self._handler.participant_left(room.name, to_participant(event.participant))
        elif event.event in ("egress_started", "egress_updated", "egress_ended"):
            if is_recording(event.egress_info):
                await self._handler.egress_changed(to_egress(event.egress_info))
        else:
            log.debug("webhook_ignored", event_name=event.event)
