"""Stand-ins without sockets: a clock that is set by hand, a peer that keeps what is sent, a link that keeps intents."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any, cast

from meet.media.fastpath import Outbox
from meet.media.room import (
    LeaveAction,
    LeaveReason,
    Participant,
    Permission,
    Publication,
    Room,
    RoomEvent,
    RoomRegistry,
    SpeakerLevel,
    TrackKind,
    TrackSource,
)
from meet.media.room.model import new_sid
from meet.media.transport.ice_lite import Path
from meet.media.transport.peer import Peer
from meet.media.transport.traffic import Traffic


class Clock:
    def __init__(self, now: float = 1000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class _Plain:
    """An "SRTP session" that leaves packets readable."""

    def protect(self, packet: bytes) -> bytes:
        return packet

    def protect_rtcp(self, packet: bytes) -> bytes:
        return packet


class FakeMux:
    outbox: Outbox | None = None
    """Set by tests that run on the compiled fast path as well."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.sent: list[bytes] = []
        self.drop = self.shape = None

    def send(self, data: bytes, _path: Path) -> None:
        self.sent.append(data)


class FakePeer:
    """The attributes of Peer that the SFU uses."""

    def __init__(self, clock: Clock, *, connected: bool = True) -> None:
        self.mux = FakeMux(clock)
        self.tx = _Plain()
        self.path = ("sock", ("127.0.0.1", 9))
        self.connected = connected
        self.ssrc = 4242
        self.traffic = Traffic()
        self.handlers: dict[int, Any] = {}
        self.sources: dict[int, Any] = {}
        self.sinks: dict[int, Any] = {}
        self.rtcp: list[bytes] = []
        self.retired: list[int] = []

    def send_rtp(self, packet: bytes) -> None:
        self.mux.sent.append(packet)

    def send_rtcp(self, packet: bytes) -> None:
        self.rtcp.append(packet)

    def retire(self, ssrc: int) -> None:
        self.retired.append(ssrc)

    @property
    def rtp(self) -> list[bytes]:
        return self.mux.sent

    def as_peer(self) -> Peer:
        return cast(Peer, self)


def rtp(sequence: int, timestamp: int, payload: bytes, *, ssrc: int = 7, pt: int = 96, marker: bool = False) -> bytes:
    return struct.pack("!BBHII", 0x80, pt | (0x80 if marker else 0), sequence & 0xFFFF, timestamp, ssrc) + payload


def vp8(picture: int, tl0: int, *, key: bool = False, first: bool = True, filler: bytes = b"x" * 20) -> bytes:
    """A VP8 payload with a 15-bit picture id and TL0PICIDX."""
    descriptor = bytes([0x90 if first else 0x80, 0xE0, 0x80 | picture >> 8 & 0x7F, picture & 0xFF, tl0 & 0xFF, 0x20])
    return descriptor + bytes([0 if key else 1]) + filler


def header(packet: bytes) -> tuple[int, int, int, int]:
    """(payload type, sequence, timestamp, ssrc)."""
    _, kind, sequence, timestamp, ssrc = struct.unpack_from("!BBHII", packet)
    return kind & 0x7F, sequence, timestamp, ssrc


class FakeLink:
    """Records every intent of the room."""

    def __init__(self) -> None:
        self.updates: list[tuple[str, int]] = []
        self.subscribed: set[str] = set()
        self.packets: list[tuple[bytes, bool]] = []
        self.data: list[tuple[bytes, str, bool]] = []
        self.mutes: list[tuple[str, bool]] = []
        self.ended: list[str] = []
        self.allowed: list[tuple[str, bool]] = []
        self.rooms: list[str] = []
        self.left: tuple[LeaveReason, LeaveAction] | None = None
        self.speakers: list[SpeakerLevel] = []

    def participants_changed(self, participants: Sequence[Participant]) -> None:
        self.updates += [(p.identity, int(p.state)) for p in participants]

    def subscribe(self, publication: Publication) -> None:
        self.subscribed.add(publication.sid)

    def unsubscribe(self, publication: Publication) -> None:
        self.subscribed.discard(publication.sid)

    def subscription_allowed(self, publication: Publication, allowed: bool) -> None:
        self.allowed.append((publication.sid, allowed))

    def unpublished(self, publication: Publication) -> None:
        self.ended.append(publication.sid)

    def mute_requested(self, publication: Publication) -> None:
        self.mutes.append((publication.sid, publication.muted))

    def rights_changed(self) -> None: ...

    def room_changed(self, room: Room) -> None:
        self.rooms.append(room.metadata)

    def speakers_changed(self, speakers: Sequence[SpeakerLevel]) -> None:
        self.speakers += speakers

    def deliver_packet(self, packet: bytes, *, reliable: bool) -> None:
        self.packets.append((packet, reliable))

    def deliver_data(self, payload: bytes, *, topic: str, reliable: bool) -> None:
        self.data.append((payload, topic, reliable))

    def closed(self, reason: LeaveReason, action: LeaveAction) -> None:
        self.left = (reason, action)


class World:
    """A registry with a fake clock, its events by name, and quick ways to fill it."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.registry = RoomRegistry(
            empty_timeout_s=300, departure_timeout_s=20, clock=self.clock, wall_ms=lambda: int(self.clock.now * 1000)
        )
        self.events: list[RoomEvent] = []
        self.registry.add_listener(self.events.append)
        self.room = self.registry.create("room")

    @property
    def names(self) -> list[str]:
        return [type(e).__name__ for e in self.events]

    def join(self, identity: str, permission: Permission | None = None, *, auto_subscribe: bool = True) -> Participant:
        participant = Participant(
            identity=identity, link=FakeLink(), permission=permission or Permission(), auto_subscribe=auto_subscribe
        )
        self.room.admit(participant)
        self.room.joined(participant)
        self.room.activated(participant)
        return participant

    def publish(self, owner: Participant, source: TrackSource = TrackSource.CAMERA) -> Publication:
        video = source in (TrackSource.CAMERA, TrackSource.SCREEN_SHARE)
        publication = Publication(
            sid=new_sid("TR_"),
            cid="cid",
            kind=TrackKind.VIDEO if video else TrackKind.AUDIO,
            source=source,
            owner=owner,
        )
        self.room.publish(publication)
        self.room.track_live(publication)
        return publication


def link(participant: Participant) -> FakeLink:
    assert isinstance(participant.link, FakeLink)
    return participant.link
