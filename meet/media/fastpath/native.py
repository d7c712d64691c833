"""Loading the compiled fast path, and telling it where packets go."""

from __future__ import annotations

import socket
import struct
import weakref
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal

import structlog
from pylibsrtp import Session

from meet.media.fastpath.srtp import MAX_PACKET, protect_address, session_address

if TYPE_CHECKING:
    from meet.media.fastpath import _native

log = structlog.get_logger(__name__)

REVISION = 2
"""What the C files must call themselves: a build from before a change of theirs is not used."""

_UDP_SEGMENT = 103

Mode = Literal["auto", "off"]


class Outbox:
    """Where a mux collects what goes out during a burst. segments: send packets of one size as one GSO message.

    `fan_out` and `flush` are the compiled ones. Raises nothing but what `_native` does.
    """

    __slots__ = ("_module", "_routes", "box", "fan_out", "flush")

    def __init__(self, module: ModuleType, *, segments: bool = True) -> None:
        self._module = module
        self.box: _native.Outbox = module.Outbox(protect_address(), _resolve, segments)
        self.fan_out = self.box.fan_out
        self.flush = self.box.flush
        self._routes: weakref.WeakKeyDictionary[Any, _native.Route] = weakref.WeakKeyDictionary()

    def lane(
        self,
        peer: Any,
        pt: int,
        ssrc: int,
        extension_id: int,
        ring: int,
        pictures: bool,
        sequence: int,
        timestamp: int,
    ) -> _native.Lane:
        """A compiled `Lane` towards the peer; see meet/media/sfu/lane.py for the arguments."""
        route = self._routes.get(peer)
        if route is None:
            route = self._routes[peer] = self._module.Route(peer.traffic)
        made: _native.Lane = self._module.Lane(route, peer, pt, ssrc, extension_id, ring, pictures, sequence, timestamp)
        return made


def load() -> tuple[ModuleType | None, str]:
    """The module, or None and the reason why Python does the work."""
    try:
        from meet.media.fastpath import _native
    except ImportError:
        return None, "not built"
    if _native.REVISION != REVISION or _native.MAX_PACKET != MAX_PACKET:
        return None, "built from another version"
    if not protect_address():
        return None, "this pylibsrtp does not tell where its functions are"
    return _native, ""


def kernel_segments() -> bool:
    """Does the kernel know UDP_SEGMENT (Linux 4.18)? An older one would ignore it and send one long datagram."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            sock.getsockopt(socket.IPPROTO_UDP, _UDP_SEGMENT)
        except OSError:
            return False
    return True


def open_outbox(mode: Mode = "auto") -> Outbox | None:
    """The fast path, or None where Python does the work. Says in one line which of the two it is."""
    module, reason = load() if mode == "auto" else (None, "switched off")
    log.info("media_fast_path", native=module is not None, **({"reason": reason} if reason else {}))
    return Outbox(module, segments=kernel_segments()) if module is not None else None


def _resolve(tx: Any, path: Any) -> tuple[int, int, bytes] | None:
    """(SRTP session, descriptor, sockaddr) for a peer that is reached over UDP; None leaves it to Python."""
    if not isinstance(tx, Session) or path is None or not isinstance(path.sock, socket.socket):
        return None
    address = _sockaddr(path.sock.family, path.address)
    return (session_address(tx), path.sock.fileno(), address) if address is not None else None


def _sockaddr(family: int, address: tuple[Any, ...]) -> bytes | None:
    """Linux's struct sockaddr_in or sockaddr_in6 of what `recvfrom` returned; None for another family."""
    try:
        if family == socket.AF_INET:
            return struct.pack("=HH4s8x", family, socket.htons(address[1]), socket.inet_aton(address[0]))
        if family == socket.AF_INET6:
            packed = socket.inet_pton(socket.AF_INET6, address[0].partition("%")[0])
            return struct.pack(
                "=HHI16sI", family, socket.htons(address[1]), socket.htonl(address[2]), packed, address[3]
            )
    except (OSError, IndexError, struct.error):
        return None
    return None
