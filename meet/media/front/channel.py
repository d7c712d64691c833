"""Messages between front and worker over a Unix socket that keeps their boundaries, each with at most one open socket.

A message is one packet: a JSON object with its `kind`, a newline, raw bytes. Whatever may be long has room in one: a
name that came in a token (48 KiB) with a room's metadata (64 000 bytes), or a client's head (96 KiB). SOCK_SEQPACKET
delivers packets whole and in order; SCM_RIGHTS passes the descriptor along with the packet it belongs to (unix(7)).
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
import os
import socket
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import structlog

log = structlog.get_logger(__name__)

MAX_PACKET: Final = 160 * 1024
"""Below what Linux lets through with its default buffers (net.core.wmem_default, 208 KiB)."""
_MAX_QUEUED: Final = 65_536
_MAX_SOCKETS: Final = 512
"""Clients on their way to a worker that does not read; more are refused."""


@dataclass(frozen=True)
class Message:
    """What arrived. Whoever gets it owns `sock`."""

    kind: str
    fields: dict[str, Any] = field(default_factory=dict)
    data: bytes = b""
    sock: socket.socket | None = None

    def text(self, name: str) -> str:
        """A field that must be there. Raises KeyError."""
        return str(self.fields[name])


class Channel:
    """One end. on_message and on_closed are called on the event loop; on_closed once, unless `close` was called."""

    def __init__(
        self, sock: socket.socket, on_message: Callable[[Message], None], on_closed: Callable[[], None]
    ) -> None:
        sock.setblocking(False)
        self._sock = sock
        self._on_message = on_message
        self._on_closed = on_closed
        self._queue: deque[tuple[bytes, socket.socket | None]] = deque()
        self._loop = asyncio.get_running_loop()
        self.closed = False
        self._loop.add_reader(sock.fileno(), self._readable)

    def send(
        self,
        kind: str,
        fields: Mapping[str, Any] | None = None,
        *,
        data: bytes = b"",
        sock: socket.socket | None = None,
    ) -> bool:
        """Queue a message; `sock` is taken over. False when the other end is gone, or does not read."""
        # Names as they came: every other letter than ASCII would be six to twelve bytes. Tokens may hold surrogates.
        head = json.dumps({"kind": kind, **(fields or {})}, ensure_ascii=False)
        packet = head.encode(errors="surrogatepass") + b"\n" + data
        limit = _MAX_QUEUED if sock is None else _MAX_SOCKETS
        if self.closed or len(self._queue) >= limit or len(packet) > MAX_PACKET:
            if sock is not None:
                sock.close()
            return False
        self._queue.append((packet, sock))
        if len(self._queue) == 1:
            self._writable()
        return not self.closed

    def close(self) -> None:
        """Drop the connection and what was not sent."""
        if self.closed:
            return
        self.closed = True
        self._loop.remove_reader(self._sock.fileno())
        self._loop.remove_writer(self._sock.fileno())
        self._sock.close()
        for _, sock in self._queue:
            if sock is not None:
                sock.close()
        self._queue.clear()

    def _writable(self) -> None:
        while self._queue:
            packet, sock = self._queue[0]
            try:
                if sock is None:
                    self._sock.send(packet)
                else:
                    socket.send_fds(self._sock, [packet], [sock.fileno()])
            except BlockingIOError:
                self._loop.add_writer(self._sock.fileno(), self._writable)
                return
            except OSError as error:
                if error.errno != errno.EMSGSIZE:
                    self._lost()
                    return
                # The kernel's buffers are smaller than they usually are: this one is lost, not all the others.
                log.error("front_message_too_long", length=len(packet))
            self._queue.popleft()
            if sock is not None:
                sock.close()  # the other end has its own descriptor now
        self._loop.remove_writer(self._sock.fileno())

    def _readable(self) -> None:
        while not self.closed:
            try:
                packet, descriptors, _, _ = socket.recv_fds(self._sock, MAX_PACKET, 1)
            except BlockingIOError:
                return
            except OSError:
                packet, descriptors = b"", []
            if not packet:
                self._lost()
                return
            sock = None
            if descriptors:
                os.set_inheritable(descriptors[0], False)  # recv_fds has no say in it before Python 3.14
                sock = socket.socket(fileno=descriptors[0])
            head, _, data = packet.partition(b"\n")
            try:
                fields = json.loads(head)
                message = Message(fields.pop("kind"), fields, data, sock)
                self._on_message(message)
            except Exception:
                # A message that cannot be handled is a defect of ours; the next ones are other rooms' and go on.
                log.exception("front_message_failed")
                if sock is not None:
                    sock.close()

    def _lost(self) -> None:
        if not self.closed:
            self.close()
            self._on_closed()


def listen(path: Path, on_connection: Callable[[socket.socket], None]) -> Callable[[], None]:
    """Accept connections on `path`, mode 0600; the result stops that, called once or again. Raises OSError."""
    loop = asyncio.get_running_loop()
    path.unlink(missing_ok=True)
    server = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        server.setblocking(False)
        server.bind(str(path))
        path.chmod(0o600)
        server.listen(64)
    except OSError:
        server.close()
        raise

    def accept() -> None:
        with contextlib.suppress(OSError):  # nobody there any more, or no descriptor left: they try again
            sock, _ = server.accept()
            on_connection(sock)

    loop.add_reader(server.fileno(), accept)

    def stop() -> None:
        if server.fileno() < 0:
            return
        loop.remove_reader(server.fileno())
        server.close()
        path.unlink(missing_ok=True)

    return stop


def connect(path: Path) -> socket.socket:
    """A connection to who listens on `path`. Raises OSError."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        sock.connect(str(path))
    except OSError:
        sock.close()
        raise
    return sock
