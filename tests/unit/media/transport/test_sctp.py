"""What a client can make an SCTP association hold and do, packet by packet."""

from __future__ import annotations

import asyncio
import inspect
import struct
from collections.abc import AsyncIterator

import pytest
from aiortc.rtcdtlstransport import RTCDtlsTransport
from aiortc.rtcsctptransport import InboundStream, RTCSctpTransport

from meet.media.transport import sctp
from meet.media.transport.budget import WorkBudget
from meet.media.transport.sctp_check import sane
from tests.fuzz.media.live import Wire, packet


def data(tsn: int, body: bytes, *, stream: int = 0, flags: int = 3, sequence: int = 0) -> bytes:
    inner = struct.pack("!IHHI", tsn & 0xFFFFFFFF, stream, sequence, 53) + body
    return struct.pack("!BBH", 0, flags, 4 + len(inner)) + inner + bytes(-len(inner) % 4)


def sack(*gaps: tuple[int, int]) -> bytes:
    body = struct.pack("!IIHH", 0, 1000, len(gaps), 0) + b"".join(struct.pack("!HH", *gap) for gap in gaps)
    return struct.pack("!BBH", 3, 0, 4 + len(body)) + body


class Rig:
    def __init__(self) -> None:
        self.refused: list[bool] = []
        self.association = sctp._Guarded(Wire(), lambda: self.refused.append(True))

    async def establish(self) -> None:
        await self.association.start(None, sctp.SCTP_PORT)
        self.association._last_received_tsn = 0
        self.association._set_state(self.association.State.ESTABLISHED)

    async def take(self, chunks: bytes) -> None:
        await self.association._handle_data(packet(chunks, self.association._local_verification_tag))

    @property
    def held(self) -> int:
        return sum(len(stream.reassembly) for stream in self.association._inbound_streams.values())


@pytest.fixture
async def rig(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Rig]:
    monkeypatch.setattr(WorkBudget, "spend", lambda _self, _seconds: 0.0)
    made = Rig()
    await made.establish()
    yield made
    await made.association.stop()


def test_the_names_it_relies_on() -> None:
    source = inspect.getsource(RTCSctpTransport)
    for name in ("_advertised_rwnd", "_sack_misordered", "_sent_queue", "_outbound_queue", "_data_channel_queue"):
        assert f"self.{name}" in source
    assert "await self._data_receiver._handle_data(data)" in inspect.getsource(RTCDtlsTransport)
    assert InboundStream().reassembly == []


@pytest.mark.parametrize("kind", [4, 5, 6, 9, 130])
def test_parameters_that_never_end_are_not_read(kind: int) -> None:
    assert not sane(bytes(12) + struct.pack("!BBHHH", kind, 0, 8, 1, 0), 0)
    assert sane(bytes(12) + struct.pack("!BBHHHI", kind, 0, 12, 1, 8, 7), 0)


def test_an_init_with_such_a_parameter() -> None:
    fixed = bytes(16)
    assert not sane(bytes(12) + struct.pack("!BBH", 1, 0, 24) + fixed + struct.pack("!HH", 5, 3), 0)
    assert sane(bytes(12) + struct.pack("!BBH", 1, 0, 24) + fixed + struct.pack("!HH", 5, 4), 0)


def test_gaps_span_no_more_than_was_sent() -> None:
    assert sane(bytes(12) + sack((2, 3), (5, 5)), 5)
    assert not sane(bytes(12) + sack((1, 65535)), 1000)
    assert not sane(bytes(12) + sack(*[(1, 60000)] * 300), 50000)


@pytest.mark.parametrize("chunk", [b"", b"\x00", b"\x00\x00\x00\x03", b"\x00\x00\x00\x40\x00"])
def test_chunks_of_impossible_length(chunk: bytes) -> None:
    assert sane(bytes(12) + chunk, 0) is (len(chunk) < 4)


async def test_messages_arrive(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    got: list[tuple[int, bytes]] = []

    async def received(stream: int, _protocol: int, body: bytes) -> None:
        got.append((stream, body))

    monkeypatch.setattr(rig.association, "_receive", received)
    await rig.take(data(1, b"one", stream=3) + data(2, b"tw", flags=2, sequence=1, stream=3))
    await rig.take(data(3, b"o", flags=1, sequence=1, stream=3))
    assert got == [(3, b"one"), (3, b"two")]
    assert not rig.refused


async def test_fragments_of_a_message_that_never_ends(rig: Rig) -> None:
    for tsn in range(1, 3 * sctp._MAX_FRAGMENTS, 20):
        await rig.take(b"".join(data(tsn + n, b"x", flags=2 if tsn + n == 1 else 0) for n in range(20)))
        assert rig.held <= sctp._MAX_FRAGMENTS + 20
    assert rig.refused == [True]
    assert rig.held == 0


async def test_large_fragments(rig: Rig) -> None:
    for tsn in range(1, 3000):
        await rig.take(data(tsn, bytes(1100), flags=2, stream=tsn % 8))
    assert rig.refused == [True]


async def test_many_streams(rig: Rig) -> None:
    for stream in range(200):
        await rig.take(data(stream + 1, b"x", flags=2, stream=stream))
    assert rig.refused == [True]


async def test_what_lies_far_beyond_a_gap_is_dropped_and_the_gap_can_still_be_closed(rig: Rig) -> None:
    for tsn in range(2, 5000):
        await rig.take(data(tsn, b"x", stream=1, flags=7))
    assert len(rig.association._sack_misordered) == sctp._MAX_OUT_OF_ORDER
    assert not rig.refused
    await rig.take(data(1, b"x", stream=1, flags=7))
    assert rig.association._last_received_tsn == sctp._MAX_OUT_OF_ORDER + 1
    assert not rig.association._sack_misordered


async def test_what_cannot_be_right_ends_the_association_only(rig: Rig) -> None:
    init = struct.pack("!BBHIIHHI", 1, 0, 20, 7, 1000, 1, 1, 1)
    await rig.take(init + init)  # aiortc asserts that an INIT comes alone
    assert rig.refused == [True]
    await rig.take(data(1, b"x"))
    assert rig.held == 0


async def test_work_is_paid_for_by_not_reading_on(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    rig = Rig()
    await rig.establish()
    monkeypatch.setattr(WorkBudget, "spend", lambda _self, _seconds: 1.5)
    monkeypatch.setattr(asyncio, "sleep", sleep)
    await rig.take(data(1, b"x"))
    assert slept == [1.5]
    await rig.association.stop()
