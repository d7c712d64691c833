"""A recording ParticipantLink and an EgressControl without recorders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from meet.media.room import (
    LeaveAction,
    LeaveReason,
    Participant,
    ParticipantKind,
    Permission,
    Publication,
    Room,
    SpeakerLevel,
    TrackKind,
    TrackSource,
)
from meet.media.twirp.egress_model import (
    EgressNotRunning,
    EgressRefused,
    EgressRequest,
    EgressSilent,
    EgressState,
    EgressUnavailable,
    EgressUnknown,
    EgressUnsupported,
)


class FakeLink:
    """Notes what the room asks of the client."""

    def __init__(self) -> None:
        self.data: list[tuple[bytes, str, bool]] = []
        self.left: LeaveReason | None = None
        self.muted: list[str] = []
        self.subscribed: list[str] = []
        self.unsubscribed: list[str] = []
        self.room_metadata: list[str] = []
        self.recording: list[bool] = []

    def participants_changed(self, participants: Sequence[Participant]) -> None: ...

    def subscribe(self, publication: Publication) -> None:
        self.subscribed.append(publication.sid)

    def unsubscribe(self, publication: Publication) -> None:
        self.unsubscribed.append(publication.sid)

    def subscription_allowed(self, publication: Publication, allowed: bool) -> None: ...

    def unpublished(self, publication: Publication) -> None: ...

    def mute_requested(self, publication: Publication) -> None:
        self.muted.append(publication.sid)

    def rights_changed(self) -> None: ...

    def room_changed(self, room: Room) -> None:
        self.room_metadata.append(room.metadata)
        self.recording.append(room.active_recording)

    def speakers_changed(self, speakers: Sequence[SpeakerLevel]) -> None: ...

    def deliver_packet(self, packet: bytes, *, reliable: bool) -> None: ...

    def deliver_data(self, payload: bytes, *, topic: str, reliable: bool) -> None:
        self.data.append((payload, topic, reliable))

    def closed(self, reason: LeaveReason, action: LeaveAction) -> None:
        self.left = reason


def join(
    room: Room, identity: str, *, hidden: bool = False, kind: ParticipantKind = ParticipantKind.STANDARD
) -> FakeLink:
    """A member whose media is up."""
    link = FakeLink()
    member = Participant(
        identity, link, name=identity.title(), kind=kind, permission=Permission(hidden=hidden, recorder=hidden)
    )
    room.admit(member)
    room.joined(member)
    room.activated(member)
    return link


def publish(room: Room, identity: str, sid: str = "TR_mic") -> Publication:
    """A live microphone."""
    owner = room.participant(identity)
    track = Publication(sid, "cid", TrackKind.AUDIO, TrackSource.MICROPHONE, owner, mime_type="audio/opus")
    room.publish(track)
    room.track_live(track)
    return track


class FakeControl:
    """Keeps states in a list; `refuse` makes the next start fail, `full` refuse it for want of room, `unsupported` for
    its encoding; `silent` keeps recorders from confirming a pause; `away` as if another process kept them, and that one
    was gone."""

    def __init__(self) -> None:
        self.states: dict[str, EgressState] = {}
        self.refuse = self.full = self.unsupported = ""
        self.silent = self.away = False

    async def start(self, request: EgressRequest) -> EgressState:
        if self.refuse:
            raise EgressUnavailable(self.refuse)
        if self.full:
            raise EgressRefused(self.full)
        if self.unsupported:
            raise EgressUnsupported(self.unsupported)
        egress_id = f"EG_{len(self.states):012d}"
        state = EgressState(egress_id, request, layout=request.layout, started_at_ms=1_700_000_000_000)
        self.states[egress_id] = state
        return state

    async def stop(self, egress_id: str) -> EgressState:
        state = self._running(egress_id)
        self.states[egress_id] = replace(state, status="ending")
        return self.states[egress_id]

    async def update_layout(self, egress_id: str, layout: str) -> EgressState:
        self.states[egress_id] = replace(self._running(egress_id), layout=layout)
        return self.states[egress_id]

    async def set_paused(self, egress_id: str, paused: bool) -> EgressState:
        state = self._running(egress_id)
        if self.silent:
            raise EgressSilent("the recorder does not answer")
        self.states[egress_id] = replace(state, paused=paused)
        return self.states[egress_id]

    async def find(
        self, *, egress_id: str | None = None, room: str | None = None, active: bool = False
    ) -> list[EgressState]:
        if self.away:
            raise EgressUnavailable("the control does not answer")
        return [
            s
            for s in self.states.values()
            if egress_id in (None, s.egress_id) and room in (None, s.request.room_name) and not (active and s.final)
        ]

    def _running(self, egress_id: str) -> EgressState:
        if egress_id not in self.states:
            raise EgressUnknown("egress does not exist")
        if self.states[egress_id].status not in ("starting", "active"):
            raise EgressNotRunning("egress cannot be stopped")
        return self.states[egress_id]
