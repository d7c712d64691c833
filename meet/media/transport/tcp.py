"""ICE over TCP, passive side (RFC 6544), for clients whose network lets no UDP through.

Datagrams travel in frames of two bytes of length and the datagram (RFC 4571). To everything above, a connection looks
like one more UDP socket with one remote address.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any, cast

import structlog

from meet.media.transport.waiting import Waiting

log = structlog.get_logger(__name__)

_MAX_FRAME = 2048
_MAX_QUEUED = 256 << 10
_MAX_CONNECTIONS = 2000
_MAX_PER_HOST = 500
_REFUSE_AFTER_S = 5.0
_AUTHENTICATE_S = 10.0

Address = tuple[Any, ...]


class TcpLink(asyncio.Protocol):
    """One connection. `address` is unlike any UDP address: (host, port, "tcp")."""

    def __init__(self, listener: TcpListener) -> None:
        self._listener = listener
        self._buffer = bytearray()
        self._timer: asyncio.TimerHandle | None = None
        self._transport: asyncio.Transport
        self.address: Address = ("", 0, "tcp")

    # -- asyncio

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass
        peer = transport.get_extra_info("peername")
        self.address = (peer[0], peer[1], "tcp") if peer else ("", 0, "tcp")
        if not self._listener.admit(self):
            # Not at once: clients come back the moment they are refused.
            self._transport.pause_reading()
            self._timer = asyncio.get_running_loop().call_later(_REFUSE_AFTER_S, self.close)
            return
        self._timer = asyncio.get_running_loop().call_later(_AUTHENTICATE_S, self.close)

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer
        buffer += data
        at = 0
        while len(buffer) - at >= 2:
            size = int.from_bytes(buffer[at : at + 2], "big")
            if size > _MAX_FRAME:
                self.close()
                return
            if len(buffer) - at - 2 < size:
                break
            if size:
                self._listener.deliver(bytes(buffer[at + 2 : at + 2 + size]), self)
            at += 2 + size
        del buffer[:at]

    def connection_lost(self, _error: Exception | None) -> None:
        self._stop_timer()
        self._listener.forget(self)

    # -- the side that looks like a socket

    def sendto(self, data: bytes, _address: Address) -> int:
        """Send, or raise OSError when the client takes the data too slowly: media must not wait in a queue."""
        if self._transport.is_closing() or self._transport.get_write_buffer_size() > _MAX_QUEUED:
            raise BlockingIOError
        self._transport.write(len(data).to_bytes(2, "big") + data)
        return len(data)

    def authenticated(self) -> None:
        """A valid check came over this connection: it may stay."""
        self._stop_timer()
        self._listener.proven(self)

    def close(self) -> None:
        """End the connection and drop what was not sent."""
        self._transport.abort()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class TcpListener:
    """All connections to one port. deliver: called with every datagram and the link it came over."""

    def __init__(self, deliver: Callable[[bytes, TcpLink], None], gone: Callable[[TcpLink], None]) -> None:
        self.deliver = deliver
        self._gone = gone
        self._links: dict[Address, TcpLink] = {}
        self._per_host: Counter[str] = Counter()
        self._unproven: Waiting[TcpLink] = Waiting()
        self._server: asyncio.Server | None = None
        self.refused = 0

    async def start(self, hosts: list[str], port: int) -> None:
        """Listen. Raises OSError when the port is taken."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: TcpLink(self), hosts, port)

    def admit(self, link: TcpLink) -> bool:
        """Count a new connection in; False when there are too many, or too many from its address."""
        host = link.address[0]
        if len(self._links) >= _MAX_CONNECTIONS or self._per_host[host] >= _MAX_PER_HOST:
            if not self.refused:
                log.warning("ice_tcp_refused", connections=len(self._links))
            self.refused += 1
            return False
        self._links[link.address] = link
        self._per_host[host] += 1
        for oldest in self._unproven.add(link, host):
            self.refused += 1
            oldest.close()
        return True

    def proven(self, link: TcpLink) -> None:
        """Its participant is known."""
        self._unproven.discard(link)

    def forget(self, link: TcpLink) -> None:
        """The connection has ended."""
        self._unproven.discard(link)
        if self._links.get(link.address) is not link:
            return
        del self._links[link.address]
        host = link.address[0]
        self._per_host[host] -= 1
        if not self._per_host[host]:
            del self._per_host[host]
        self._gone(link)

    def end(self, address: Address) -> None:
        """Close the connection with this address, if there is one: its participant is gone, or has too many."""
        link = self._links.get(address)
        if link is not None:
            link.close()

    @property
    def connections(self) -> int:
        return len(self._links)

    def close(self) -> None:
        """Stop listening and end every connection."""
        if self._server is not None:
            self._server.close()
        for link in list(self._links.values()):
            link.close()
