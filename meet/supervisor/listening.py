"""Listening sockets that outlive the process that accepts on them: who connects while it is replaced waits a moment."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Sequence
from typing import Final

VARIABLE: Final = "MEET_LISTEN_FDS"
_BACKLOG: Final = 1024


def listen(host: str, port: int) -> list[socket.socket]:
    """A listening socket for every address of `host`, as asyncio would open them. Raises OSError."""
    sockets: list[socket.socket] = []
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, address in dict.fromkeys((entry[0], entry[4]) for entry in found):
            sock = socket.socket(family, socket.SOCK_STREAM)
            sockets.append(sock)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            sock.bind(address)
            sock.listen(_BACKLOG)
    except OSError:
        for sock in sockets:
            sock.close()
        raise
    return sockets


def variable(sockets: Sequence[socket.socket]) -> dict[str, str]:
    """The environment by which a child finds them; their descriptors must be passed to it as well."""
    return {VARIABLE: ",".join(str(sock.fileno()) for sock in sockets)}


def inherited() -> list[socket.socket]:
    """What the supervisor has passed to this process; nothing when it was started by hand."""
    sockets = []
    for number in os.environ.pop(VARIABLE, "").split(","):
        with contextlib.suppress(ValueError, OSError):
            sock = socket.socket(fileno=int(number))
            sock.set_inheritable(False)
            sockets.append(sock)
    return sockets
