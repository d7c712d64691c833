"""A slow link between the media server and chosen clients: a rate, and a queue of bounded length before it."""

from __future__ import annotations

import asyncio

from meet.media.main import MediaServer
from meet.media.transport.ice_lite import Path


class Shaper:
    """Assign to `mux.shape`. queue_s: longest time a datagram may wait; beyond that it is lost, as in a router."""

    def __init__(self, media: MediaServer, *, queue_s: float = 0.4) -> None:
        self._loop = asyncio.get_running_loop()
        self._media = media
        self._queue_s = queue_s
        self._rates: dict[str, float] = {}
        self._free_at: dict[str, float] = {}

    def limit(self, identity: str, bits_per_second: float | None) -> None:
        """Limit what goes to one participant, or set it free."""
        if bits_per_second is None:
            self._rates.pop(identity, None)
        else:
            self._rates[identity] = bits_per_second

    def __call__(self, data: bytes, path: Path) -> bool:
        for session in self._media.gateway.pulse.sessions:
            identity = session.participant.identity
            rate = self._rates.get(identity)
            if rate is not None and session.subscribing_peer.path == path:
                now = self._loop.time()
                at = max(now, self._free_at.get(identity, now)) + len(data) * 8 / rate
                if at - now <= self._queue_s:
                    self._free_at[identity] = at
                    self._loop.call_at(at, path.sock.sendto, data, path.address)
                return True
        return False
