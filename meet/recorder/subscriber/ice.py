"""The client half of ICE (RFC 8445, controlling role) towards a server whose candidates are in its offer.

Servers are ICE-lite or at least directly reachable, so there is nothing to gather: one UDP socket asks every candidate,
nominates the first good one, and keeps asking for consent (RFC 7675).
"""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

import structlog
from aioice import stun

log = structlog.get_logger(__name__)

_CHECK_S: Final = 0.05
_CONSENT_S: Final = 2.0
_CONSENT_TIMEOUT_S: Final = 15.0
_DRAIN: Final = 256
_MEDIA: Final = 128
"""First byte of RTP and RTCP from here on (RFC 7983)."""
_PAUSE_S: Final = 0.05
"""Media is fetched twenty times a second, many packets at a time: waking up for each costs more than the packet."""
_SHORT_PAUSE_S: Final = 0.01
"""A recording begins with the first picture, so at first it is fetched more often."""
_LONGER: Final = 1.02
_MANY: Final = 64
"""After so many at once, the next are fetched sooner: with the usual net.core.rmem_max, 180 packets fit the socket."""
_TIE_BREAKER_BYTES: Final = 8

Address = tuple[str, int]


@dataclass(frozen=True)
class Candidate:
    """A remote UDP candidate."""

    host: str
    port: int
    priority: int


def parse_candidate(line: str) -> Candidate | None:
    """`candidate:...` as in SDP or a trickle message; None for TCP, other components and names."""
    fields = line.removeprefix("a=").removeprefix("candidate:").split()
    if len(fields) < 8 or fields[1] != "1" or fields[2].lower() != "udp":
        return None
    try:
        socket.inet_aton(fields[4])
        return Candidate(fields[4], int(fields[5]), int(fields[3]))
    except (OSError, ValueError):
        return None


class IceClient:
    """Datagrams to and from the nominated candidate. on_data gets everything that is not STUN; on_turn is called when
    media has been fetched."""

    def __init__(
        self,
        on_data: Callable[[bytes], None],
        on_lost: Callable[[], None],
        on_turn: Callable[[], None] = lambda: None,
    ) -> None:
        self.ufrag, self.pwd = secrets.token_hex(4), secrets.token_hex(12)
        self.selected: Address | None = None
        self.connected = asyncio.Event()
        self._on_data, self._on_lost, self._on_turn = on_data, on_lost, on_turn
        self._remote_ufrag = self._remote_pwd = ""
        self._candidates: dict[Address, Candidate] = {}
        self._pending: dict[bytes, Address] = {}
        self._tie_breaker = int.from_bytes(os.urandom(_TIE_BREAKER_BYTES), "big")
        self._last_consent = 0.0
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self._socket.setblocking(False)
        self._socket.bind(("0.0.0.0", 0))
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._socket.fileno(), self._readable)
        self._checks: asyncio.Task[None] | None = None
        self._fetch: asyncio.TimerHandle | None = None
        self._pause = _SHORT_PAUSE_S
        self._open = True

    def set_remote(self, ufrag: str, pwd: str, candidates: Iterable[Candidate]) -> None:
        """Credentials of the offer; new ones mean an ICE restart, during which media goes on over the old pair."""
        if (ufrag, pwd) != (self._remote_ufrag, self._remote_pwd):
            self._remote_ufrag, self._remote_pwd = ufrag, pwd
        for candidate in candidates:
            self.add(candidate)
        if self._checks is None:
            self._checks = asyncio.create_task(self._check())

    def add(self, candidate: Candidate) -> None:
        """One more remote candidate."""
        self._candidates[(candidate.host, candidate.port)] = candidate

    def send(self, data: bytes) -> None:
        """To the selected pair; dropped when there is none or the socket is full, as on any network."""
        if self.selected is not None:
            self._send_to(data, self.selected)

    def _send_to(self, data: bytes, address: Address) -> None:
        try:
            self._socket.sendto(data, address)
        except (BlockingIOError, InterruptedError):
            pass
        except OSError as error:
            log.debug("ice_send_failed", address=address, error=str(error))

    async def _check(self) -> None:
        started = time.monotonic()
        while True:
            if self.selected is None:
                for address in sorted(self._candidates, key=lambda a: -self._candidates[a].priority):
                    self._request(address, nominate=False)
                await asyncio.sleep(_CHECK_S)
            else:
                self._request(self.selected, nominate=True)
                await asyncio.sleep(_CONSENT_S)
            heard = self._last_consent or started
            if time.monotonic() - heard > _CONSENT_TIMEOUT_S:
                self._on_lost()
                return

    def _request(self, address: Address, *, nominate: bool) -> None:
        message = stun.Message(message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST)
        message.attributes["USERNAME"] = f"{self._remote_ufrag}:{self.ufrag}"
        message.attributes["PRIORITY"] = 1853824767
        message.attributes["ICE-CONTROLLING"] = self._tie_breaker
        if nominate:
            message.attributes["USE-CANDIDATE"] = None
        message.add_message_integrity(self._remote_pwd.encode())
        if len(self._pending) > 512:
            self._pending.clear()
        self._pending[message.transaction_id] = address
        self._send_to(bytes(message), address)

    def _readable(self) -> None:
        if self._drain() and self._open:
            self._loop.remove_reader(self._socket.fileno())
            self._fetch = self._loop.call_later(self._pause, self._again)
            self._on_turn()

    def _again(self) -> None:
        """The socket after a pause; when no media has come, wait for the next packet."""
        found = 1
        try:
            found = self._drain()
        finally:  # whatever a packet broke, the next one is fetched
            self._go_on(found)

    def _go_on(self, found: int) -> None:
        if not self._open:  # by what has arrived
            return
        if found:
            self._pause = min(_PAUSE_S, self._pause * _LONGER)
            pause = 0 if found >= _DRAIN else _SHORT_PAUSE_S if found >= _MANY else self._pause
            self._fetch = self._loop.call_later(pause, self._again)
            self._on_turn()
        else:
            self._fetch = None
            self._loop.add_reader(self._socket.fileno(), self._readable)

    def _drain(self) -> int:
        """Hand on what has arrived; how much of it was media. Handshakes go on without pauses."""
        receive, hand_on, media = self._socket.recvfrom, self._on_data, 0
        for _ in range(_DRAIN):
            try:
                data, address = receive(2048)
            except (BlockingIOError, InterruptedError):
                break
            except OSError:
                break  # an ICMP error of an earlier send; the consent check decides whether the peer is gone
            if data and data[0] < 4:
                self._stun(data, address)
            elif data:
                media += data[0] >= _MEDIA
                hand_on(data)
        return media

    def _stun(self, data: bytes, address: Address) -> None:
        try:
            message = stun.parse_message(data)
        except ValueError:
            return
        if message.message_class == stun.Class.RESPONSE:
            asked = self._pending.pop(message.transaction_id, None)
            if asked is None:
                return
            self._last_consent = time.monotonic()
            if self.selected is None:
                self.selected = asked
                log.debug("ice_selected", host=asked[0], port=asked[1])
                self._request(asked, nominate=True)
                self.connected.set()
        elif message.message_class == stun.Class.REQUEST:
            self._answer(message, address)

    def _answer(self, message: stun.Message, address: Address) -> None:
        """A full ICE agent checks us as well."""
        response = stun.Message(
            message_method=stun.Method.BINDING,
            message_class=stun.Class.RESPONSE,
            transaction_id=message.transaction_id,
        )
        response.attributes["XOR-MAPPED-ADDRESS"] = address
        response.add_message_integrity(self.pwd.encode())
        self._send_to(bytes(response), address)

    def close(self) -> None:
        """Stop checking and close the socket."""
        if not self._open:
            return
        self._open = False
        if self._checks is not None:
            self._checks.cancel()
        if self._fetch is not None:
            self._fetch.cancel()
        self._loop.remove_reader(self._socket.fileno())
        self._socket.close()
