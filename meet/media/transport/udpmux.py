"""One UDP port for all peers of the process.

Datagrams are told apart by their first byte (RFC 7983) and by the remote address; a remote address becomes known only
through an authentic STUN check. With a wildcard host there is one socket per local address, all on the same port, so
that answers leave from the address the client talks to.
"""

from __future__ import annotations

import asyncio
import errno
import socket
import time
from collections.abc import Callable
from typing import Protocol

import structlog

from meet.media.transport import stun
from meet.media.transport.addresses import Candidate, candidates, local_ipv4
from meet.media.transport.ice_lite import IceLite, Path

log = structlog.get_logger(__name__)

_BUFFER = 4 << 20
_BURST = 64
_MAX_PATHS_PER_PEER = 16
_BIND_ATTEMPTS = 50

Address = tuple[str, int]


class Receiver(Protocol):
    """What the mux delivers to."""

    ice: IceLite

    def on_srtp(self, data: bytes, now: float) -> None: ...

    def on_dtls(self, data: bytes) -> None: ...

    def on_path(self) -> None:
        """A (new) path was selected."""


class UdpMux:
    """rtc_host: IPv4 address to bind, `0.0.0.0` for all; port 0 picks a free one.

    advertised: addresses for the candidate lines instead of the bound ones (NAT, containers).
    `drop` lets tests lose packets: called with (outgoing, data), True loses it.
    """

    def __init__(
        self,
        rtc_host: str = "0.0.0.0",
        port: int = 0,
        advertised: tuple[str, ...] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        wildcard = rtc_host in ("0.0.0.0", "")
        hosts = local_ipv4() if wildcard and not advertised else [rtc_host or "0.0.0.0"]
        self._sockets, self.port = _bind_all(hosts, port)
        self.candidates: list[Candidate] = candidates(list(advertised) or hosts, self.port)
        self.clock = clock
        self.drop: Callable[[bool, bytes], bool] | None = None
        self.received = self.sent = self.dropped = self.rejected = 0
        self._by_address: dict[Address, Receiver] = {}
        self._by_ufrag: dict[str, Receiver] = {}
        self._paths: dict[Receiver, list[Address]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        """Begin receiving on the running event loop."""
        self._loop = asyncio.get_running_loop()
        for sock in self._sockets:
            self._loop.add_reader(sock.fileno(), self._readable, sock)

    def close(self) -> None:
        for sock in self._sockets:
            if self._loop is not None:
                self._loop.remove_reader(sock.fileno())
            sock.close()

    def register(self, receiver: Receiver) -> None:
        """Accept checks for the receiver's present (and previous) credentials."""
        self._by_ufrag[receiver.ice.ufrag] = receiver
        self._paths.setdefault(receiver, [])

    def unregister(self, receiver: Receiver) -> None:
        for ufrag in [u for u, r in self._by_ufrag.items() if r is receiver]:
            del self._by_ufrag[ufrag]
        for address in self._paths.pop(receiver, ()):
            if self._by_address.get(address) is receiver:
                del self._by_address[address]

    def attach(self, receiver: Receiver, address: Address) -> None:
        """Deliver what comes from `address` to the receiver, and to no other."""
        paths = self._paths.get(receiver)
        if paths is None or self._by_address.get(address) is receiver:
            return
        self._by_address[address] = receiver
        paths.append(address)
        if len(paths) > _MAX_PATHS_PER_PEER:
            oldest = paths.pop(0)
            if self._by_address.get(oldest) is receiver:
                del self._by_address[oldest]

    def send(self, data: bytes, path: Path) -> None:
        """Send or drop: a full socket buffer loses the packet, as a network would."""
        if self.drop is not None and self.drop(True, data):
            return
        try:
            path.sock.sendto(data, path.address)
            self.sent += 1
        except OSError:
            self.dropped += 1

    def _readable(self, sock: socket.socket) -> None:
        # One wake-up drains a burst; asyncio's own datagram transport would read a single packet.
        recvfrom = sock.recvfrom
        by_address = self._by_address
        now = self.clock()
        for _ in range(_BURST):
            try:
                data, address = recvfrom(2048)
            except OSError:
                return
            self.received += 1
            if not data or (self.drop is not None and self.drop(False, data)):
                continue
            first = data[0]
            if 128 <= first < 192:
                receiver = by_address.get(address)
                if receiver is not None:
                    receiver.on_srtp(data, now)
            elif first < 4:
                self._on_stun(data, Path(sock, address))
            elif 20 <= first < 64:
                receiver = by_address.get(address)
                if receiver is not None:
                    receiver.on_dtls(data)

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
        self.send(stun.binding_response(request.transaction_id, path.address, password), path)
        self.attach(receiver, path.address)
        if receiver.ice.checked(ufrag, path, nominated=request.use_candidate):
            receiver.on_path()


def _bind_all(hosts: list[str], port: int) -> tuple[list[socket.socket], int]:
    """Bind every host to one common port. Raises OSError when the port is taken."""
    for attempt in range(_BIND_ATTEMPTS):
        sockets: list[socket.socket] = []
        chosen = port
        try:
            for host in hosts:
                sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                sockets.append(sock)
                sock.setblocking(False)
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER)
                sock.bind((host, chosen))
                chosen = sock.getsockname()[1]
            return sockets, chosen
        except OSError as error:
            for sock in sockets:
                sock.close()
            if port or error.errno != errno.EADDRINUSE or attempt == _BIND_ATTEMPTS - 1:
                raise
    raise OSError(errno.EADDRINUSE, "no UDP port is free on every local address")
