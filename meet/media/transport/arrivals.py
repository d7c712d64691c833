"""When a datagram reached this machine, which is not when this process got round to reading it.

A sender's congestion controller takes late arrival times for a congested network (draft-ietf-rmcat-gcc-02 section 5):
with the time of reading, a server that is busy for 100 ms has everybody send less, for half a minute.
"""

from __future__ import annotations

import socket
import struct
import sys
import time
from collections.abc import Callable
from typing import Any, Final

_SO_TIMESTAMPNS: Final = 35
"""Of Linux's asm-generic/socket.h; Python's socket module does not name it."""
_TIMESPEC: Final = struct.Struct("@ll")
_BYTES: Final = 2048
_LATEST_NS: Final = 1_000_000_000
"""A datagram that seems to have waited for longer: somebody has set the machine's clock."""

Datagram = tuple[bytes, tuple[Any, ...], float]
"""Payload, remote address, and for how many seconds it has been waiting in the socket."""


def reader(sock: socket.socket) -> Callable[[], Datagram]:
    """A function that reads one datagram of a non-blocking socket. It raises what `socket.recvmsg` raises.

    Without Linux, or on one that keeps no such times (sandboxes), nothing has ever waited; nor have the first datagrams
    of the first socket on the machine that asks: the kernel begins a moment later.
    """
    if sys.platform != "linux" or not _stamped(sock):
        return lambda: (*sock.recvfrom(_BYTES), 0.0)
    receive, wall, room = sock.recvmsg, time.time_ns, socket.CMSG_SPACE(_TIMESPEC.size)

    def read() -> Datagram:
        data, ancillary, _, address = receive(_BYTES, room)
        for level, kind, value in ancillary:
            if level == socket.SOL_SOCKET and kind == _SO_TIMESTAMPNS:
                seconds, rest = _TIMESPEC.unpack(value)
                waited = wall() - seconds * 1_000_000_000 - rest
                if 0 < waited < _LATEST_NS:
                    return data, address, waited / 1e9
        return data, address, 0.0

    return read


def _stamped(sock: socket.socket) -> bool:
    try:
        sock.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
    except OSError:
        return False
    return True
