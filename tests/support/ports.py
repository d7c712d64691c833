"""Ports for servers that cannot pick one and say which."""

from __future__ import annotations

import contextlib
import socket

from meet.supervisor.run import any_port


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody has at the moment, and that no connection takes until it is used."""
    while True:
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", any_port())) as probe:
            return int(probe.getsockname()[1])
