"""Addresses that come with bad tokens over and over are turned away before anything is looked at."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from meet.media.transport.budget import TokenBucket
from meet.media.transport.sources import source

RATE: Final = 20
"""Bad requests a second that an address may go on making. Good ones cost nothing, however many share the address."""
BURST: Final = 200
"""An office whose tokens have all run out at once."""
_MAX_ADDRESSES: Final = 4096


class Refusals:
    """What was refused to whom lately. A local proxy stands for all its clients, so loopback is never turned away."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._buckets: OrderedDict[str, TokenBucket] = OrderedDict()

    def too_many(self, host: str | None) -> bool:
        """Has this address had its share of refusals?"""
        bucket = self._buckets.get(source(host))
        return bucket is not None and bucket.tokens < 1

    def count(self, host: str | None) -> None:
        """One more request of this address was refused."""
        key = source(host)
        if not key:
            return
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = TokenBucket(RATE, BURST, self._clock)
            if len(self._buckets) > _MAX_ADDRESSES:
                self._buckets.popitem(last=False)
        self._buckets.move_to_end(key)
        bucket.take()

    @property
    def addresses(self) -> int:
        return len(self._buckets)
