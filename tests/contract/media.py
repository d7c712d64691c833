"""A media server without media: rooms, participants and egress in dictionaries, behind the port of the domain."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from meet.core.errors import EgressNotActive, EgressNotFound, MediaServerError, MediaServerUnavailable
from meet.core.model.encoding import Encoding, Layout
from meet.core.model.media import MediaParticipant
from meet.core.model.recording import IN_PROGRESS, Egress, RecordingStatus


def opened(gate: asyncio.Event) -> asyncio.Event:
    gate.set()
    return gate


@dataclass
class MediaServerInMemory:
    """Follows `meet.core.ports.MediaServer`.

    `egress_begins_as` is the status a new egress reports; `failure` (an operation name) makes that call fail, and
    `reachable` False makes every call fail.
    """

    egress_begins_as: RecordingStatus = "active"
    reachable: bool = True
    failure: str | None = None
    rooms: dict[str, dict[str, MediaParticipant]] = field(default_factory=dict)
    egress: dict[str, Egress] = field(default_factory=dict)
    sent: list[tuple[str, str, bytes]] = field(default_factory=list)
    dispatches: dict[str, list[str]] = field(default_factory=dict)
    gate: asyncio.Event = field(default_factory=lambda: opened(asyncio.Event()))
    """While it is not set, questions about agents are not answered."""
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def join(self, room: str, identity: str, *, name: str = "", metadata: str = "") -> MediaParticipant:
        """What a client's connection leads to."""
        participant = MediaParticipant(
            identity=identity,
            sid=f"PA_{next(self._numbers):08d}",
            name=name or identity,
            metadata=metadata,
            is_publisher=True,
        )
        self.rooms.setdefault(room, {})[identity] = participant
        return participant

    def egress_of(self, room: str) -> list[Egress]:
        """Every egress there ever was in a room."""
        return [egress for egress in self.egress.values() if egress.room_name == room]

    def _up(self) -> None:
        self._check("asking the recorder")

    def _check(self, operation: str) -> None:
        if not self.reachable:
            raise MediaServerUnavailable(operation, "connection refused")
        if self.failure == operation:
            raise MediaServerError(operation, "it said so")

    async def create_room(self, name: str, *, metadata: str, empty_timeout_s: int, departure_timeout_s: int) -> None:
        self._check("creating LiveKit room")
        self.rooms.setdefault(name, {})

    async def create_dispatch(self, room: str, agent: str) -> str:
        self._check(f"creating agent dispatch for room '{room}'")
        self.dispatches.setdefault(room, []).append(f"AD_{next(self._numbers)}")
        return self.dispatches[room][-1]

    async def list_dispatches(self, room: str, agent: str) -> list[str]:
        self._check(f"listing agent dispatches for room '{room}'")
        await self.gate.wait()
        return list(self.dispatches.get(room, ()))

    async def delete_dispatch(self, room: str, dispatch_id: str) -> None:
        self._check(f"stopping agent dispatch '{dispatch_id}' in room '{room}'")
        self.dispatches[room].remove(dispatch_id)

    async def delete_room(self, name: str) -> None:
        self._check(f"deleting LiveKit room '{name}'")
        self.rooms.pop(name, None)

    async def list_rooms(self) -> list[str]:
        self._check("getting LiveKit rooms")
        return list(self.rooms)

    async def list_participants(self, room: str) -> list[MediaParticipant]:
        self._check(f"getting LiveKit room '{room}'")
        return list(self.rooms.get(room, {}).values())

    async def get_participant(self, room: str, identity: str) -> MediaParticipant | None:
        self._check(f"getting LiveKit room '{room}'")
        return self.rooms.get(room, {}).get(identity)

    async def remove_participant(self, room: str, identity: str) -> bool:
        self._check(f"removing participant '{identity}' from room '{room}'")
        return self.rooms.get(room, {}).pop(identity, None) is not None

    async def update_participant_metadata(self, room: str, identity: str, metadata: str) -> None:
        self._check(f"updating metadata for participant '{identity}' in room '{room}'")
        participant = self.rooms.get(room, {}).get(identity)
        if participant is not None:
            self.rooms[room][identity] = replace(participant, metadata=metadata)

    async def send_data(
        self,
        room: str,
        payload: bytes,
        *,
        topic: str,
        identities: Sequence[str] = (),
        sids: Sequence[str] = (),
    ) -> None:
        self._check(f"sending data to LiveKit room '{room}'")
        self.sent.append((room, topic, payload))

    async def start_room_composite(
        self, room: str, *, layout: Layout, encoding: Encoding, key: str, audio_only: bool = False
    ) -> Egress:
        self._check(f"starting Room Composite Egress for room '{room}'")
        number = next(self._numbers)
        now = 1_795_000_000_000 + number
        egress = Egress(
            egress_id=f"EG_{number:012d}",
            room_name=room,
            status=self.egress_begins_as,
            layout=layout,
            encoding=encoding,
            key=key,
            started_at_ms=now,
            updated_at_ms=now,
            audio_only=audio_only,
        )
        self.egress[egress.egress_id] = egress
        return egress

    async def stop_egress(self, egress_id: str) -> Egress:
        self._check(f"stopping egress '{egress_id}'")
        return self._change(egress_id, status="ending", duration_s=1.5)

    async def update_layout(self, egress_id: str, layout: Layout) -> Egress:
        self._check(f"changing the layout of egress '{egress_id}'")
        return self._change(egress_id, layout=layout)

    def _change(self, egress_id: str, **changes: Any) -> Egress:
        egress = self.egress.get(egress_id)
        if egress is None:
            raise EgressNotFound(egress_id)
        if egress.status not in ("starting", "active"):
            raise EgressNotActive(egress_id)
        self.egress[egress_id] = changed = replace(egress, **changes)
        return changed

    async def list_egress(
        self, *, room: str | None = None, egress_id: str | None = None, active: bool | None = None
    ) -> list[Egress]:
        self._check(f"getting egress '{egress_id or ''}'")
        return [
            egress
            for egress in self.egress.values()
            if (room is None or egress.room_name == room)
            and (egress_id is None or egress.egress_id == egress_id)
            and (active is None or (egress.status in IN_PROGRESS) == active)
        ]
