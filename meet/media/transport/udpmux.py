"""One port for all peers of the process: UDP, and TCP for clients that cannot use it.

Datagrams are told apart by their first byte (RFC 7983) and by the remote address; a remote address becomes known only
through an authentic STUN check. With a wildcard host there is one socket per local address, all on the same port, so
that answers leave from the address the client talks to.
"""

from __future__ import annotations

import asyncio
import errno
import socket
import time
import weakref
from collections.abc import Callable
from typing import Any, Protocol

import structlog

from meet.media.fastpath import Outbox
from meet.media.transport import arrivals, stun
from meet.media.transport.addresses import Candidate, candidates, local_ipv4, local_ipv6
from meet.media.transport.ice_lite import IceLite, Path
from meet.media.transport.tcp import TcpLink, TcpListener
from meet.media.transport.traffic import Traffic

log = structlog.get_logger(__name__)

_BUFFER = 4 << 20
_BURST = 64
_MAX_PATHS_PER_PEER = 16
_BIND_ATTEMPTS = 50

Address = tuple[Any, ...]


class Receiver(Protocol):
    """What the mux delivers to."""

    ice: IceLite
    traffic: Traffic

    def on_srtp(self, data: bytes, now: float) -> None: ...

    def on_dtls(self, data: bytes) -> None: ...

    def on_path(self) -> None:
        """A (new) path was selected."""


class UdpMux:
    """rtc_host: address to bind, `0.0.0.0` for all of IPv4, `::` for all of both families; port 0 picks a free one.

    advertised: addresses for the candidate lines instead of the bound ones (NAT, containers). tcp: listen on the same
    port number there, too. `drop` lets tests lose UDP datagrams: called with (outgoing, data), True loses it.
    `shape` lets them delay what goes out: called with (data, path), True says that it sends the datagram, or never.
    outbox: the compiled fast path, if there is one; it sends at the end of every burst.
    """

    def __init__(
        self,
        rtc_host: str = "0.0.0.0",
        port: int = 0,
        advertised: tuple[str, ...] = (),
        clock: Callable[[], float] = time.monotonic,
        *,
        tcp: bool = False,
        outbox: Outbox | None = None,
    ) -> None:
        self._hosts = _hosts(rtc_host, bool(advertised))
        self._sockets, self.port = _bind_all(self._hosts, port, tcp=tcp)
        self._tcp = TcpListener(self._on_tcp, self._tcp_gone) if tcp else None
        self.candidates: list[Candidate] = candidates(list(advertised) or self._hosts, self.port, tcp=tcp)
        self.clock = clock
        self.drop: Callable[[bool, bytes], bool] | None = None
        self.shape: Callable[[bytes, Path], bool] | None = None
        self.outbox = outbox
        self.received = self.rejected = self.failures = 0
        self._sent = self._dropped = 0
        self._faulty: weakref.WeakSet[Receiver] = weakref.WeakSet()
        self._by_address: dict[Address, Receiver] = {}
        self._by_ufrag: dict[str, Receiver] = {}
        self._paths: dict[Receiver, list[Address]] = {}
        self._past = Traffic()
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        """Begin receiving on the running event loop."""
        self._loop = asyncio.get_running_loop()
        for sock in self._sockets:
            self._loop.add_reader(sock.fileno(), self._readable, sock, arrivals.reader(sock))

    async def start_tcp(self) -> None:
        """Begin listening for TCP, when it was asked for. Raises OSError when the port is taken."""
        if self._tcp is not None:
            await self._tcp.start(self._hosts, self.port)

    @property
    def tcp_connections(self) -> int:
        return self._tcp.connections if self._tcp is not None else 0

    @property
    def tcp_refused(self) -> int:
        return self._tcp.refused if self._tcp is not None else 0

    def close(self) -> None:
        if self._tcp is not None:
            self._tcp.close()
        for sock in self._sockets:
            if self._loop is not None:
                self._loop.remove_reader(sock.fileno())
            sock.close()
        if self.outbox is not None:  # it knows sockets by number, and those numbers are free now
            self._sent, self._dropped = self.sent, self.dropped
            self.outbox = None

    def register(self, receiver: Receiver) -> None:
        """Accept checks for the receiver's present (and previous) credentials."""
        for ufrag in [u for u, r in self._by_ufrag.items() if r is receiver and r.ice.password_for(u) is None]:
            del self._by_ufrag[ufrag]  # from before the last ICE restart but one
        self._by_ufrag[receiver.ice.ufrag] = receiver
        self._paths.setdefault(receiver, [])

    def unregister(self, receiver: Receiver) -> None:
        for ufrag in [u for u, r in self._by_ufrag.items() if r is receiver]:
            del self._by_ufrag[ufrag]
        if receiver in self._paths:
            self._past.add(receiver.traffic)
        for address in self._paths.pop(receiver, ()):
            if self._by_address.get(address) is receiver:
                del self._by_address[address]
            if self._tcp is not None:
                self._tcp.end(address)

    def traffic(self) -> Traffic:
        """All peers together, those that are gone included."""
        total = Traffic()
        total.add(self._past)
        for receiver in self._paths:
            total.add(receiver.traffic)
        return total

    def attach(self, receiver: Receiver, address: Address) -> None:
        """Deliver what comes from `address` to the receiver, and to no other."""
        paths = self._paths.get(receiver)
        if paths is None or self._by_address.get(address) is receiver:
            return
        self._by_address[address] = receiver
        paths.append(address)
        if len(paths) > _MAX_PATHS_PER_PEER:
            selected = receiver.ice.path.address if receiver.ice.path is not None else None
            oldest = next(a for a in paths if a != selected)
            paths.remove(oldest)
            if self._by_address.get(oldest) is receiver:
                del self._by_address[oldest]
            if self._tcp is not None:
                self._tcp.end(oldest)

    def send(self, data: bytes, path: Path) -> None:
        """Send or drop: a full socket buffer loses the packet, as a network would."""
        if self.drop is not None and not isinstance(path.sock, TcpLink) and self.drop(True, data):
            return
        if self.shape is not None and self.shape(data, path):
            return
        try:
            path.sock.sendto(data, path.address)
            self._sent += 1
        except OSError:
            self._dropped += 1

    def give_up(self) -> None:
        """Count a packet that could not even be encrypted."""
        self._dropped += 1

    @property
    def sent(self) -> int:
        """Datagrams given to the kernel."""
        return self._sent + (self.outbox.box.sent if self.outbox is not None else 0)

    @property
    def dropped(self) -> int:
        """Datagrams given up: the socket was full, or they could not be encrypted."""
        return self._dropped + (self.outbox.box.dropped if self.outbox is not None else 0)

    def _readable(self, sock: socket.socket, read: Callable[[], arrivals.Datagram]) -> None:
        outbox = self.outbox
        if outbox is None:
            self._read_burst(sock, read)
            return
        outbox.box.held = True
        try:
            self._read_burst(sock, read)
        finally:
            outbox.flush()

    def _read_burst(self, sock: socket.socket, read: Callable[[], arrivals.Datagram]) -> None:
        # One wake-up drains a burst; asyncio's own datagram transport would read a single packet.
        by_address, clock = self._by_address, self.clock
        for _ in range(_BURST):
            try:
                data, address, waited = read()
            except OSError:
                return
            self.received += 1
            if not data or (self.drop is not None and self.drop(False, data)):
                continue
            first = data[0]
            if 128 <= first < 192:
                receiver = by_address.get(address)
                if receiver is not None:
                    try:
                        receiver.on_srtp(data, clock() - waited)
                    except Exception:
                        self._failed(receiver)
            elif first < 4:
                self._on_stun(data, Path(sock, address))
            elif 20 <= first < 64:
                receiver = by_address.get(address)
                if receiver is not None:
                    receiver.on_dtls(data)

    def _on_tcp(self, data: bytes, link: TcpLink) -> None:
        self.received += 1
        first = data[0]
        if first < 4:
            self._on_stun(data, Path(link, link.address))
            return
        receiver = self._by_address.get(link.address)
        if receiver is None:
            return
        if 128 <= first < 192:
            try:
                receiver.on_srtp(data, self.clock())
            except Exception:
                self._failed(receiver)
        elif 20 <= first < 64:
            receiver.on_dtls(data)

    def _failed(self, receiver: Receiver) -> None:
        """One participant's packet broke something of ours: the rest of the burst belongs to others and goes on."""
        self.failures += 1
        if receiver not in self._faulty:
            self._faulty.add(receiver)
            log.exception("packet_handling_failed")

    def _tcp_gone(self, link: TcpLink) -> None:
        receiver = self._by_address.pop(link.address, None)
        if receiver is not None and link.address in self._paths.get(receiver, ()):
            self._paths[receiver].remove(link.address)

    def _on_stun(self, data: bytes, path: Path) -> None:
        request = stun.parse_binding_request(data)
        if request is None:
            return
        ufrag = request.local_ufrag
        receiver = self._by_ufrag.get(ufrag)
        password = receiver.ice.password_for(ufrag) if receiver is not None else None
        if receiver is None or password is None or not request.authentic(password):
            self.rejected += 1
            return
        host, remote_port = path.address[:2]
        self.send(stun.binding_response(request.transaction_id, host, remote_port, password), path)
        if isinstance(path.sock, TcpLink):
            path.sock.authenticated()
        self.attach(receiver, path.address)
        if receiver.ice.checked(ufrag, path, nominated=request.use_candidate):
            receiver.on_path()


def _hosts(rtc_host: str, advertised: bool) -> list[str]:
    """Addresses to bind; each local one by itself, so that answers leave from where the question arrived."""
    if rtc_host in ("0.0.0.0", ""):
        return ["0.0.0.0"] if advertised else local_ipv4()
    if rtc_host == "::":
        return ["0.0.0.0", "::"] if advertised else local_ipv4() + local_ipv6()
    return [rtc_host]


def _bind_all(hosts: list[str], port: int, *, tcp: bool) -> tuple[list[socket.socket], int]:
    """Bind every host to one common port, free for TCP as well if wanted. Raises OSError when the port is taken."""
    for attempt in range(_BIND_ATTEMPTS):
        sockets: list[socket.socket] = []
        chosen = port
        try:
            for host in hosts:
                family = socket.AF_INET6 if ":" in host else socket.AF_INET
                sock = socket.socket(family, socket.SOCK_DGRAM)
                sockets.append(sock)
                sock.setblocking(False)
                if family == socket.AF_INET6:
                    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER)
                sock.bind((host, chosen))
                chosen = sock.getsockname()[1]
                if tcp:
                    _probe_tcp(family, host, chosen)
            return sockets, chosen
        except OSError as error:
            for sock in sockets:
                sock.close()
            if port or error.errno != errno.EADDRINUSE or attempt == _BIND_ATTEMPTS - 1:
                raise
    raise OSError(errno.EADDRINUSE, "no UDP port is free on every local address")


def _probe_tcp(family: int, host: str, port: int) -> None:
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host, port))
