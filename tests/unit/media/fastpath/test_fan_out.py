"""Python and the compiled fast path put the same datagrams on the wire, to every kind of destination."""

from __future__ import annotations

import random
import select
import socket
import struct
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.sfu.embedded import build
from bench.sfu.srtp import session
from meet.media.fastpath.srtp import MAX_PACKET
from meet.media.sfu.fanout import fan_out
from meet.media.sfu.lane import new_lane
from meet.media.transport import arrivals
from meet.media.transport.aiortc_adapter import Certificate
from meet.media.transport.ice_lite import Path
from meet.media.transport.peer import Peer
from meet.media.transport.udpmux import UdpMux
from tests.unit.media.fastpath.kinds import outbox_of

KINDS = ("python", "native", "unsegmented")
CERTIFICATE = Certificate()


class Wire:
    """A mux with subscribers, each with a socket of its own that keeps what it gets."""

    def __init__(self, kind: str, subscribers: int = 2, host: str = "127.0.0.1") -> None:
        outbox = outbox_of("python" if kind == "python" else "native", segments=kind == "native")
        self.mux = UdpMux(host, 0, outbox=outbox)
        self.peers: list[Peer] = []
        self.lanes: list[Any] = []
        self.ends: list[socket.socket] = []
        for index in range(subscribers):
            end = socket.socket(self.mux._sockets[0].family, socket.SOCK_DGRAM)
            end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
            end.bind((host, 0))
            end.setblocking(False)
            peer = Peer(self.mux, CERTIFICATE, f"subscriber {index}")
            peer.tx = session()
            peer.path = Path(self.mux._sockets[0], end.getsockname())
            self.peers.append(peer)
            self.ends.append(end)
            self.lanes.append(
                new_lane(
                    peer,
                    pt=96 + index,
                    ssrc=1000 + index,
                    extension_id=index,
                    ring=64,
                    pictures=True,
                    sequence=7,
                    timestamp=9,
                )
            )

    def send(self, sequence: int, payload: bytes, **changes: Any) -> None:
        packet = {"timestamp": sequence * 10, "marker": 0, "descriptor": b"", "send_time": 5, "arrived": 1.0} | changes
        fan_out(payload, changes.pop("lanes", None) or list(self.lanes), sequence, **_only(packet))

    def burst(self, packets: list[tuple[int, bytes]]) -> None:
        """As the mux does it: what comes in together goes out together."""
        if self.mux.outbox is not None:
            self.mux.outbox.box.held = True
        for sequence, payload in packets:
            self.send(sequence, payload)
        if self.mux.outbox is not None:
            self.mux.outbox.flush()

    def got(self, index: int = 0) -> list[bytes]:
        found = []
        while True:
            try:
                found.append(self.ends[index].recv(4096))
            except BlockingIOError:
                return found

    def close(self) -> None:
        for end in self.ends:
            end.close()
        self.mux.close()


def _only(packet: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in packet.items() if name != "lanes"}


@pytest.fixture(params=KINDS)
def wire(request: pytest.FixtureRequest) -> Iterator[Wire]:
    made = Wire(request.param)
    yield made
    made.close()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.tuples(
            st.integers(-2, 3),
            st.one_of(st.integers(0, MAX_PACKET + 40), st.sampled_from((60, 900, MAX_PACKET - 20, MAX_PACKET - 12))),
        ),
        max_size=40,
    ),
    st.integers(0, 0xFFFF),
)
def test_the_same_datagrams_in_the_same_order(steps: list[tuple[int, int]], first: int) -> None:
    packets, at = [], first
    for step, size in steps:
        at = (at + step) & 0xFFFF
        packets.append((at, random.Random(size).randbytes(size)))
    results = []
    for kind in KINDS:
        made = Wire(kind)
        try:
            made.burst(packets)
            counted = [(p.traffic.packets_out, p.traffic.bytes_out) for p in made.peers]
            results.append(([made.got(0), made.got(1)], made.mux.sent, made.mux.dropped, counted))
        finally:
            made.close()
    assert results[0] == results[1] == results[2]
    datagrams, sent, _, counted = results[0]
    assert sent == sum(len(each) for each in datagrams)
    for index, each in enumerate(datagrams):
        receiver = session(receive=True)
        clear = [receiver.unprotect(d) for d in each]
        assert counted[index] == (len(clear), sum(len(c) for c in clear))
        assert {c[1] & 0x7F for c in clear} <= {96 + index}
        assert {bytes(c[20 if index else 12 :]) for c in clear} <= {payload for _, payload in packets}


def test_without_a_burst_packets_leave_at_once(wire: Wire) -> None:
    wire.send(1, b"one")
    assert len(wire.got()) == len(wire.got(1)) == 1


def test_more_than_the_outbox_holds(wire: Wire) -> None:
    packets = [(n, bytes(n % 7)) for n in range(700)]
    wire.burst(packets)
    receiver = session(receive=True)
    assert [receiver.unprotect(d)[12:] for d in wire.got()] == [payload for _, payload in packets]


def test_sealed_twice_under_one_number_never(wire: Wire) -> None:
    wire.send(1, b"one")
    wire.lanes[0].bind(1, 0, b"")  # numbers go on, so this one is new
    wire.send(1, b"two")
    wire.send(1, b"three")
    receiver = session(receive=True)
    assert [receiver.unprotect(d)[12:] for d in wire.got()] == [b"one", b"two"]
    assert len(wire.got(1)) == 1


def test_a_peer_without_a_session_or_path_is_skipped(wire: Wire) -> None:
    wire.peers[0].tx = None
    wire.peers[1].path = None
    wire.send(1, b"nobody")
    assert (wire.mux.sent, wire.mux.dropped) == (0, 0)
    wire.peers[0].tx = session()
    wire.send(2, b"back")
    assert len(wire.got()) == 1


def test_a_new_address_and_a_new_session_are_followed(wire: Wire) -> None:
    wire.send(1, b"before")
    other = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    other.bind(("127.0.0.1", 0))
    other.settimeout(5)
    wire.peers[0].path = Path(wire.mux._sockets[0], other.getsockname())
    wire.send(2, b"roamed")
    assert session(receive=True).unprotect(other.recv(2000))[12:] == b"roamed"
    wire.peers[0].tx = session()
    wire.send(3, b"rekeyed")
    assert session(receive=True).unprotect(other.recv(2000))[12:] == b"rekeyed"
    assert len(wire.got()) == 1
    other.close()


def test_lost_shaped_and_tcp_datagrams_take_pythons_way(wire: Wire) -> None:
    class Link:
        sent: list[bytes] = []  # noqa: RUF012

        def sendto(self, data: bytes, _address: Any) -> int:
            self.sent.append(data)
            return len(data)

    wire.mux.drop = lambda outgoing, _data: outgoing
    wire.send(1, b"lost")
    wire.mux.drop = None
    shaped: list[bytes] = []

    def shape(data: bytes, _path: Path) -> bool:
        shaped.append(data)
        return True

    wire.mux.shape = shape
    wire.send(2, b"shaped")
    wire.mux.shape = None
    assert (wire.got(), wire.got(1), len(shaped)) == ([], [], 2)
    link = Link()
    wire.peers[0].path = Path(link, ("127.0.0.1", 9, "tcp"))
    wire.send(3, b"over tcp")
    assert session(receive=True).unprotect(link.sent[-1])[12:] == b"over tcp"
    assert len(wire.got(1)) == 1
    assert wire.peers[0].traffic.packets_out == 3


def test_what_the_kernel_refuses_is_counted(wire: Wire) -> None:
    wire.peers[0].path = Path(wire.mux._sockets[0], ("255.255.255.255", 9))  # broadcast was not allowed on the socket
    wire.burst([(n, bytes(50)) for n in range(1, 6)])
    assert (wire.mux.sent, wire.mux.dropped) == (5, 5)
    assert len(wire.got(1)) == 5


def test_where_segments_are_refused_packets_leave_one_by_one() -> None:
    made = Wire("native")
    made.mux._sockets[0].setsockopt(socket.SOL_SOCKET, 11, 1)  # SO_NO_CHECK: without checksums there is no segmentation
    for begin in (1, 100):
        made.burst([(n, bytes(100)) for n in range(begin, begin + 20)])
    assert (made.mux.sent, made.mux.dropped) == (80, 0)
    assert [len(d) for d in made.got()] == [12 + 100 + 16] * 40
    made.close()


@pytest.mark.parametrize("kind", KINDS)
def test_ipv6(kind: str) -> None:
    made = Wire(kind, host="::1")
    made.burst([(n, bytes(100)) for n in range(6)])
    assert len(made.got()) == len(made.got(1)) == 6
    made.close()


def test_lanes_of_two_outboxes_do_not_mix() -> None:
    one, two = Wire("native"), Wire("native")
    assert one.mux.outbox is not None
    one.mux.outbox.box.held = True
    one.send(1, b"waits")
    two.send(2, b"foreign", lanes=[two.lanes[0], one.lanes[0]])
    one.mux.outbox.flush()
    receiver = session(receive=True)
    assert sorted(receiver.unprotect(d)[12:] for d in one.got()) == [b"foreign", b"waits"]
    assert len(two.got()) == 1
    one.close()
    two.close()


def test_nonsense_is_refused() -> None:
    made = Wire("native")
    assert made.mux.outbox is not None
    with pytest.raises(TypeError):
        made.mux.outbox.fan_out(b"x", [])
    with pytest.raises(TypeError):
        made.mux.outbox.fan_out(b"x", ["no lane"], 1, 2, 0, b"", 0, 0.0, False)
    with pytest.raises(ValueError, match="address"):
        type(made.mux.outbox.box)(0, lambda _tx, _path: None)
    made.close()


def test_a_received_burst_leaves_together_whatever_happens_in_it() -> None:
    made = Wire("native", subscribers=0)
    outbox = made.mux.outbox
    assert outbox is not None
    ends = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(3)]
    for end in ends:
        end.bind(("127.0.0.1", 0))
        end.settimeout(5)
    publisher = build(made.mux, 1, 2, [end.getsockname()[1] for end in ends])[0]
    waiting: list[int] = []

    def broken(_packet: bytes, _now: float) -> None:
        waiting.append(outbox.box.sent)
        raise RuntimeError("a fault of ours")

    publisher.handlers[77] = broken
    srtp = session()
    key = b"\x90\x80\x81\x00\x00"
    for number, ssrc in enumerate((1000, 1000, 77, 1000)):
        head = struct.pack("!BBHII", 0x80, 96, number, 0, ssrc)
        ends[2].sendto(srtp.protect(head + key + bytes(900)), ("127.0.0.1", made.mux.port))
    assert select.select([made.mux._sockets[0]], [], [], 5)[0]
    made.mux._readable(made.mux._sockets[0], arrivals.reader(made.mux._sockets[0]))
    assert waiting == [0]
    assert made.mux.failures == 1
    assert (outbox.box.sent, outbox.box.held) == (made.mux.sent, False)
    assert made.mux.sent == 6
    for end in ends[:2]:
        assert {len(end.recv(2000)) for _ in range(3)} == {20 + 5 + 900 + 16}
    for end in ends:
        end.close()
    made.close()
