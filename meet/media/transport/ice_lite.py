"""The server side of ICE for one peer: credentials, the nominated address, the age of consent (RFC 8445, 7675)."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol


class Outlet(Protocol):
    """A UDP socket, or a TCP connection that behaves like one. `sendto` may raise OSError: the datagram is lost."""

    def sendto(self, data: bytes, address: Any, /) -> int: ...


class Path(NamedTuple):
    """Where datagrams of a peer go: our socket (hence our source address) and the remote address.

    address: what the socket gave us, unique among all paths: (host, port), (host, port, flow, scope) for IPv6, or
    (host, port, "tcp").
    """

    sock: Outlet
    address: tuple[Any, ...]


class IceLite:
    """Controlled, passive: it answers checks and follows nominations.

    clock: seconds, monotonic. `previous` keeps the credentials before a restart valid until the first check with the
    new ones, so that media and consent go on while the client's offer and our answer cross.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.ufrag, self.pwd = _credentials()
        self.previous: tuple[str, str] | None = None
        self.path: Path | None = None
        self.last_consent = clock()

    def restart(self) -> None:
        """Mint new credentials. Path, DTLS and SRTP stay until the client nominates anew."""
        self.previous = (self.ufrag, self.pwd)
        self.ufrag, self.pwd = _credentials()

    def password_for(self, ufrag: str) -> str | None:
        if ufrag == self.ufrag:
            return self.pwd
        if self.previous is not None and ufrag == self.previous[0]:
            return self.previous[1]
        return None

    def checked(self, ufrag: str, path: Path, *, nominated: bool) -> bool:
        """An authentic check arrived over `path`. Returns True when media shall now go there."""
        self.last_consent = self._clock()
        current = ufrag == self.ufrag
        if current:
            self.previous = None
        if self.path is None or (nominated and current and path != self.path):
            self.path = path
            return True
        return False

    def touch(self) -> None:
        """Give the client another full period to send a check (it just came back over signalling)."""
        self.last_consent = self._clock()

    def consent_age(self) -> float:
        """Seconds since the last authentic check."""
        return self._clock() - self.last_consent


def _credentials() -> tuple[str, str]:
    return secrets.token_hex(4), secrets.token_hex(12)
