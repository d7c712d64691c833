"""Carries a TLS client: the front encrypts, the worker has one end of a socket pair and notices no difference."""

from __future__ import annotations

import asyncio
import errno
import socket
from typing import cast


class Pump(asyncio.Protocol):
    """One direction's reader; `other` is written to. Each pauses the other's source while its own end is full."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport
        self.other: Pump | None = None
        self._early = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        if self.other is None:
            self._early += data
        else:
            self.other.transport.write(data)

    def join(self, other: Pump) -> None:
        """Write to `other` from now on."""
        self.other = other
        if self._early:
            other.transport.write(bytes(self._early))
            self._early.clear()

    def pause_writing(self) -> None:
        if self.other is not None:
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        if self.other is not None:
            self.other.transport.resume_reading()

    def connection_lost(self, _error: Exception | None) -> None:
        if self.other is not None:
            self.other.transport.close()  # what is still to be written to it, is


async def carry(client: asyncio.Transport) -> socket.socket:
    """Pump between `client` and the returned socket until either ends. Raises OSError: no descriptors, no client."""
    ours, theirs = socket.socketpair()
    outer = Pump()
    outer.transport = client
    try:
        ours.setblocking(False)
        _, inner = await asyncio.get_running_loop().create_connection(Pump, sock=ours)
    except BaseException:
        ours.close()
        theirs.close()
        raise
    if client.is_closing():  # its end was told to whoever had it before, and will not be told to us
        inner.transport.close()
        theirs.close()
        raise ConnectionAbortedError(errno.ECONNABORTED, "the client has gone")
    outer.join(inner)
    inner.join(outer)
    client.set_protocol(outer)
    client.resume_reading()
    return theirs
