"""In-memory stand-ins for what the domain asks of the outside, with switches for everything that can go wrong."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from meet.core.errors import EgressNotActive, EgressNotFound, MediaServerUnavailable, MeetError
from meet.core.model.encoding import Encoding, Layout
from meet.core.model.media import MediaParticipant
from meet.core.model.recording import IN_PROGRESS, Egress, Recording
from meet.core.model.webhook import WebhookReply
from meet.core.recording_errors import RecordingKept
from meet.core.webhook_ports import NotDelivered


@dataclass
class FakeClock:
    """A clock that only moves when told to."""

    now: int = 1_800_000_000_000

    def now_ms(self) -> int:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += int(seconds * 1000)


@dataclass
class FakeBlobs:
    """Keys of the objects that exist."""

    keys: set[str] = field(default_factory=set)
    broken: bool = False
    locked: set[str] = field(default_factory=set)

    async def delete(self, recordings: Sequence[Recording]) -> Mapping[str, MeetError]:
        if self.broken:
            raise ConnectionError("storage is down")
        self.keys.difference_update({recording.key for recording in recordings} - self.locked)
        return {each.recording_id: RecordingKept(each.recording_id) for each in recordings if each.key in self.locked}

    async def discard(self, key: str, store: str | None) -> None:
        self.keys.discard(key)


@dataclass
class FakeReceiver:
    """What webhooks are posted to: takes them, unless it is down, slow, or answers something else."""

    got: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    status: int = 200
    down: bool = False
    delay_s: float = 0.0
    busy: int = 0
    busiest: int = 0

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> WebhookReply:
        self.busy += 1
        self.busiest = max(self.busiest, self.busy)
        try:
            await asyncio.sleep(self.delay_s)
            if self.down:
                raise NotDelivered("Connection refused by server")
            self.got.append((url, dict(headers), body))
            return WebhookReply(self.status, "Said So")
        finally:
            self.busy -= 1


@dataclass
class SentData:
    room: str
    topic: str
    payload: bytes
    sids: tuple[str, ...]
    identities: tuple[str, ...] = ()


@dataclass
class FakeMedia:
    """A media server. Egress stays `starting` until `activates` is set or the test changes it."""

    clock: FakeClock
    rooms: dict[str, list[MediaParticipant]] = field(default_factory=dict)
    metadata: dict[str, str] = field(default_factory=dict)
    egress: dict[str, Egress] = field(default_factory=dict)
    sent: list[SentData] = field(default_factory=list)
    down: bool = False
    refuses_egress: bool = False
    loses_start_answer: bool = False
    activates: bool = True
    on_start: Callable[[Egress], Awaitable[None]] | None = None
    stopped: list[str] = field(default_factory=list)
    agents: list[tuple[str, str, str]] = field(default_factory=list)
    """Dispatches: room, agent, id."""
    ids: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def join(self, room: str, identity: str, name: str = "", metadata: str = "") -> MediaParticipant:
        participant = MediaParticipant(
            identity=identity, sid=f"PA_{identity}", name=name or identity, metadata=metadata
        )
        self.rooms.setdefault(room, []).append(participant)
        return participant

    def change(self, egress_id: str, **changes: object) -> Egress:
        changes.setdefault("updated_at_ms", self.clock.now)
        self.egress[egress_id] = replace(self.egress[egress_id], **changes)  # type: ignore[arg-type]
        return self.egress[egress_id]

    def complete(self, egress_id: str) -> Egress:
        return self.change(egress_id, status="complete", size=1234, duration_s=5.5, ended_at_ms=self.clock.now + 5500)

    def _up(self) -> None:
        if self.down:
            raise MediaServerUnavailable("asking the fake", "down")

    async def create_room(self, name: str, *, metadata: str, empty_timeout_s: int, departure_timeout_s: int) -> None:
        self._up()
        self.rooms.setdefault(name, [])
        self.metadata.setdefault(name, metadata)

    async def delete_room(self, name: str) -> None:
        self._up()
        self.rooms.pop(name, None)

    async def create_dispatch(self, room: str, agent: str) -> str:
        self._up()
        self.agents.append((room, agent, f"AD_{next(self.ids)}"))
        return self.agents[-1][2]

    async def list_dispatches(self, room: str, agent: str) -> list[str]:
        self._up()
        return [dispatch for where, who, dispatch in self.agents if (where, who) == (room, agent)]

    async def delete_dispatch(self, room: str, dispatch_id: str) -> None:
        self._up()
        self.agents = [each for each in self.agents if (each[0], each[2]) != (room, dispatch_id)]

    async def list_rooms(self) -> list[str]:
        self._up()
        return list(self.rooms)

    async def list_participants(self, room: str) -> list[MediaParticipant]:
        self._up()
        return list(self.rooms.get(room, []))

    async def get_participant(self, room: str, identity: str) -> MediaParticipant | None:
        self._up()
        await asyncio.sleep(0)  # others get their turn, as over a network
        return next((p for p in self.rooms.get(room, []) if p.identity == identity), None)

    async def remove_participant(self, room: str, identity: str) -> bool:
        self._up()
        before = self.rooms.get(room, [])
        self.rooms[room] = [p for p in before if p.identity != identity]
        return len(self.rooms[room]) < len(before)

    async def update_participant_metadata(self, room: str, identity: str, metadata: str) -> None:
        self._up()
        self.rooms[room] = [replace(p, metadata=metadata) if p.identity == identity else p for p in self.rooms[room]]

    async def send_data(
        self,
        room: str,
        payload: bytes,
        *,
        topic: str,
        identities: Sequence[str] = (),
        sids: Sequence[str] = (),
    ) -> None:
        self._up()
        self.sent.append(SentData(room, topic, payload, tuple(sids), tuple(identities)))

    async def start_room_composite(
        self, room: str, *, layout: Layout, encoding: Encoding, key: str, audio_only: bool = False
    ) -> Egress:
        self._up()
        if self.refuses_egress:
            raise MediaServerUnavailable("starting Room Composite Egress", "refused")
        egress = Egress(
            egress_id=f"EG_{next(self.ids):012d}",
            room_name=room,
            status="starting",
            layout=layout,
            encoding=encoding,
            key=key,
            updated_at_ms=self.clock.now,
            audio_only=audio_only,
        )
        self.egress[egress.egress_id] = egress
        if self.activates:
            self.change(egress.egress_id, status="active", started_at_ms=self.clock.now)
        if self.on_start is not None:
            await self.on_start(egress)
        if self.loses_start_answer:
            raise MediaServerUnavailable("starting Room Composite Egress", "connection reset")
        return egress

    async def stop_egress(self, egress_id: str) -> Egress:
        self._up()
        self.stopped.append(egress_id)
        found = self._running(egress_id)
        return self.change(egress_id, status="ending" if found.status == "active" else "aborted")

    async def update_layout(self, egress_id: str, layout: Layout) -> Egress:
        self._up()
        self._running(egress_id)
        return self.change(egress_id, layout=layout)

    def _running(self, egress_id: str) -> Egress:
        found = self.egress.get(egress_id)
        if found is None:
            raise EgressNotFound(egress_id)
        if found.status not in ("starting", "active"):
            raise EgressNotActive(egress_id)
        return found

    async def list_egress(
        self, *, room: str | None = None, egress_id: str | None = None, active: bool | None = None
    ) -> list[Egress]:
        self._up()
        return [
            egress
            for egress in self.egress.values()
            if (room is None or egress.room_name == room)
            and (egress_id is None or egress.egress_id == egress_id)
            and (not active or egress.status in IN_PROGRESS)
        ]
