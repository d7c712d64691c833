"""What a webhook says: the five events and their envelope (contract 5.1, 5.2), and its signature (5.3)."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from .clock import Clock
from .links import room_document
from .model.recording import TERMINAL, Recording
from .model.room import Room
from .model.webhook import Announcement, WebhookEventName
from .permission_names import Spelling

BaseUrl = Callable[[], str]
"""The public base URL of this server as far as it is known: links in payloads begin with it."""


class WebhookEvents:
    """Builds announcements. Pure but for the clock: repositories call it inside their transactions."""

    def __init__(self, project_id: str, clock: Clock, base_url: BaseUrl, spelling: Spelling) -> None:
        self._project_id = project_id
        self._clock = clock
        self._base_url = base_url
        self._spelling = spelling

    def meeting_started(self, room: Room) -> Announcement:
        return self._announce("meetingStarted", room.room_id, self._room(room))

    def meeting_ended(self, room: Room) -> Announcement:
        return self._announce("meetingEnded", room.room_id, self._room(room))

    def recording_created(self, recording: Recording) -> list[Announcement]:
        """The start, and at once what has come of it when the first thing heard of an egress is a later status."""
        told = [self._recording("recordingStarted", replace(recording, status="starting"))]
        return told if recording.status == "starting" else [*told, self.recording_changed(recording)]

    def recording_changed(self, recording: Recording) -> Announcement:
        over = recording.status in TERMINAL
        return self._recording("recordingEnded" if over else "recordingUpdated", recording)

    def _room(self, room: Room) -> dict[str, Any]:
        document: dict[str, Any] = self._spelling.document(room_document(room, self._base_url()))
        return document

    def _recording(self, event: WebhookEventName, recording: Recording) -> Announcement:
        return self._announce(event, recording.recording_id, recording.to_document())

    def _announce(self, event: WebhookEventName, subject: str, data: Mapping[str, Any]) -> Announcement:
        now = self._clock.now_ms()
        return Announcement(
            event=event,
            subject=subject,
            creation_date=now,
            body=envelope(event, now, data),
            project_id=self._project_id,
        )


def envelope(event: str, creation_date: int, data: Mapping[str, Any]) -> str:
    """The body: compact JSON in JavaScript's spelling, so that a receiver that writes it anew gets the same text."""
    document = {"event": event, "creationDate": creation_date, "data": _as_javascript(data)}
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


def signed_headers(body: bytes, timestamp: int, api_key: str) -> dict[str, str]:
    """The headers of a request whose body is `body`; `timestamp` in ms."""
    message = f"{timestamp}.".encode() + body
    return {
        "Content-Type": "application/json",
        "X-Timestamp": str(timestamp),
        "X-Signature": hmac.new(api_key.encode(), message, hashlib.sha256).hexdigest(),
    }


def _as_javascript(value: Any) -> Any:
    """Whole numbers as integers, nothing that is absent."""
    if isinstance(value, dict):
        return {name: _as_javascript(item) for name, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [_as_javascript(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
