"""Targets that need an event loop: a session with its transports, an SCTP association."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

from google.protobuf.message import DecodeError
from google_crc32c import value
from livekit.protocol import rtc as sig

from meet.media.gateway import dispatch
from meet.media.gateway.session import MediaContext, Session
from meet.media.gateway.tokens import ClientToken
from meet.media.room import Participant, RoomRegistry
from meet.media.transport.aiortc_adapter import Certificate
from meet.media.transport.sctp import SCTP_PORT, _Guarded
from meet.media.transport.udpmux import UdpMux

_CLAIMS = {"iss": "key", "exp": 4_000_000_000, "video": {}}


def pieces(data: bytes) -> Iterator[bytes]:
    """Split by two length bytes each."""
    at = 0
    while at + 2 <= len(data):
        size = int.from_bytes(data[at : at + 2], "big")
        yield data[at + 2 : at + 2 + size]
        at += 2 + size


class _Socket:
    closed = False

    async def send_bytes(self, data: bytes) -> None: ...

    async def close(self) -> None: ...


class Signals:
    """Each input meets a session of its own, single or dual connection by its first byte, in a room with another."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        self._runner.run(self._open())

    async def _open(self) -> None:
        self._context = MediaContext(UdpMux("127.0.0.1", 0), Certificate())
        self._registry = RoomRegistry()
        self._room = self._registry.create("room")
        self._session("resident", single_pc=True)

    def _session(self, identity: str, *, single_pc: bool) -> Session:
        session = Session(self._context, _Socket(), ClientToken(_CLAIMS, {"key": "s" * 32}), single_pc=single_pc)
        participant = Participant(identity=identity, link=session)
        self._room.admit(participant)
        session.enter(participant, self._room)
        self._room.joined(participant)
        return session

    def close(self) -> None:
        self._runner.run(self._close())
        self._runner.close()

    async def _close(self) -> None:
        sessions = [p.link for p in self._room.participants.values() if isinstance(p.link, Session)]
        self._registry.shutdown()
        for session in sessions:
            await session.wait_closed()
        self._context.mux.close()

    def take(self, data: bytes) -> None:
        self._runner.run(self._take(data))

    async def _take(self, data: bytes) -> None:
        session = self._session("guest", single_pc=bool(data[:1] and data[0] & 1))
        for piece in pieces(data[1:]):
            try:
                request = sig.SignalRequest.FromString(piece)
            except DecodeError:
                continue
            if not dispatch.handle(session, request):
                break
        session._on_data("_reliable", data[1:])
        session._on_data("_lossy", data[1:])
        for publication in list(session.participant.tracks.values()):
            self._room.track_live(publication)
        session.subscriber.tick(self._context.mux.clock())
        self._room.remove_participant("guest")
        await session.wait_closed()


class Wire:
    """The DTLS transport below an association; what is sent is dropped."""

    state = "connected"
    _role = "server"

    def _register_data_receiver(self, receiver: Any) -> None: ...

    def _unregister_data_receiver(self, receiver: Any) -> None: ...

    async def _send_data(self, data: bytes) -> None: ...


class Association:
    """Each input meets an association of its own; the verification tag and checksum are put right in every packet."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner()

    def close(self) -> None:
        self._runner.close()

    def take(self, data: bytes) -> None:
        self._runner.run(self._take(data))

    async def _take(self, data: bytes) -> None:
        association = _Guarded(Wire())
        await association.start(None, SCTP_PORT)
        association._last_received_tsn = 0
        association._set_state(association.State.ESTABLISHED)
        for piece in pieces(data):
            await association._handle_data(packet(piece, association._local_verification_tag))
        await association.stop()
        association.release()


def packet(chunks: bytes, tag: int) -> bytes:
    """An SCTP packet with a right checksum (RFC 9260 section 6.8). INIT chunks go without a tag."""
    tag = 0 if chunks[:1] == b"\x01" else tag
    head = SCTP_PORT.to_bytes(2, "big") * 2 + tag.to_bytes(4, "big")
    checksum: int = value(head + bytes(4) + chunks)
    return head + checksum.to_bytes(4, "little") + chunks
