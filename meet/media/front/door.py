"""One client's connection up to the end of its request's head: then a worker has it, or the front answers itself."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from collections.abc import Mapping, Sequence
from typing import Final, cast

import structlog
from aiohttp import web

from meet.media.front import head, pump
from meet.media.front.fleet import Fleet, NobodyThere
from meet.media.gateway.refusals import Refusals
from meet.media.transport.waiting import Waiting

log = structlog.get_logger(__name__)

_HEAD_S: Final = 10.0
_CLOSING = (
    "HTTP/1.1 {}\r\nContent-Length: 0\r\nAccess-Control-Allow-Origin: *\r\nRetry-After: 1\r\nConnection: close\r\n\r\n"
)


class Doors:
    """Use `serve` as protocol factory of the listening socket. server: answers what is not signalling."""

    def __init__(self, fleet: Fleet, server: web.Server, keys: Mapping[str, str]) -> None:
        self.fleet = fleet
        self.server = server
        self.keys = keys
        self.waiting: Waiting[Door] = Waiting()
        self.refusals = Refusals()
        """Counted here as well as by each worker: over all of them, and with TLS, where workers see no address."""

    def serve(self) -> Door:
        return Door(self)

    def close(self) -> None:
        """End the connections that nobody has taken yet."""
        for door in list(self.waiting):
            door.refuse("503 Service Unavailable")


class Door(asyncio.Protocol):
    """Reads until the head is complete."""

    def __init__(self, doors: Doors) -> None:
        self._doors = doors
        self._buffer = bytearray()
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None
        self._transport: asyncio.Transport

    # -- asyncio

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        for oldest in self._doors.waiting.add(self, self._host):
            oldest.abort()
        self._timer = asyncio.get_running_loop().call_later(_HEAD_S, self._transport.abort)

    def data_received(self, data: bytes) -> None:
        seen = max(0, len(self._buffer) - len(head.END))
        self._buffer += data
        if self._task is not None:
            return  # came after the head, before reading was paused
        if self._buffer.find(head.END, seen) < 0:
            if len(self._buffer) > head.MAX_HEAD:
                self.refuse("431 Request Header Fields Too Large")
            return
        parsed = head.parse(bytes(self._buffer))
        if parsed.signalling and len(self._buffer) <= head.MAX_HEAD:
            self._transport.pause_reading()
            self._task = asyncio.create_task(self._hand_over(parsed), name="hand a client over")
        else:
            self._done()
            self._become(self._doors.server())

    def connection_lost(self, _error: Exception | None) -> None:
        self._done()
        if self._task is not None:
            self._task.cancel()

    # -- where it goes

    def refuse(self, status: str) -> None:
        """Answer without a body, and close."""
        self._done()
        if self._task is not None and self._task is not asyncio.current_task():
            self._task.cancel()
        self._transport.write(_CLOSING.format(status).encode())
        self._transport.close()

    def abort(self) -> None:
        """End without a word: too many others are waiting."""
        self._done()
        self._transport.abort()

    def _done(self) -> None:
        self._doors.waiting.discard(self)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _become(self, protocol: asyncio.Protocol) -> None:
        self._transport.set_protocol(protocol)
        protocol.connection_made(self._transport)
        protocol.data_received(bytes(self._buffer))

    async def _hand_over(self, request: head.Head) -> None:
        host = self._host
        if self._doors.refusals.too_many(host):
            self.refuse("429 Too Many Requests")
            return
        room, creates = head.room_of(request, self._doors.keys)
        if room is None:
            self._doors.refusals.count(host)
        try:
            worker = await self._doors.fleet.of_room(room, creates=creates)
            sock = await self._taken_off()
        except NobodyThere:
            self.refuse("503 Service Unavailable")
            return
        except OSError as error:
            log.error("client_not_taken_off", error=error.strerror)
            self._transport.abort()
            return
        self._done()
        sent = worker.channel is not None and worker.channel.send("client", data=bytes(self._buffer), sock=sock)
        if not sent:
            if worker.channel is None:
                sock.close()  # it has died in this moment
            log.warning("client_not_handed_over", worker=worker.index)
        if not sent or not self._secure:
            self._transport.abort()  # if it was sent, this closes our descriptor only: the worker has its own

    @property
    def _host(self) -> str | None:
        peer = self._transport.get_extra_info("peername")
        return str(peer[0]) if isinstance(peer, tuple) else None

    @property
    def _secure(self) -> bool:
        return isinstance(self._transport.get_extra_info("ssl_object"), ssl.SSLObject | ssl.SSLSocket)

    async def _taken_off(self) -> socket.socket:
        """A socket that is the client for whoever has it."""
        if self._secure:
            return await pump.carry(self._transport)
        return _duplicate(self._transport.get_extra_info("socket"))


def _duplicate(sock: socket.socket) -> socket.socket:
    return socket.socket(fileno=os.dup(sock.fileno()))


async def listen(
    doors: Doors, host: str, port: int, tls: ssl.SSLContext | None, sockets: Sequence[socket.socket] = ()
) -> list[asyncio.Server]:
    """Accept clients, on sockets that listen already or else on the port. Raises OSError when it is taken."""
    loop = asyncio.get_running_loop()
    if not sockets:
        return [await loop.create_server(doors.serve, host, port, ssl=tls, backlog=1024)]
    return [await loop.create_server(doors.serve, sock=sock, ssl=tls, backlog=1024) for sock in sockets]
