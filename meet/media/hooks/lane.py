"""The waiting webhooks of one room: first in, first out, with a bound."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

_DROPPABLE: Final = frozenset({"track_published", "track_unpublished", "participant_joined", "participant_left"})


@dataclass
class Delivery:
    """One webhook. body: as it will be sent; since: monotonic seconds when it was queued."""

    name: str
    body: bytes
    since: float
    delivered: Callable[[], None] | None = None


@dataclass
class Lane:
    """`waiting` stands behind the delivery under way, which is never dropped."""

    room: str
    waiting: deque[Delivery] = field(default_factory=deque)
    dropped: int = 0

    def push(self, delivery: Delivery, limit: int) -> None:
        """Queue it. At the limit the oldest participant or track event goes first, others only when none is left."""
        if len(self.waiting) >= limit:
            self.dropped += 1
            if not self.waiting:
                return
            victim = next((d for d in self.waiting if d.name in _DROPPABLE), self.waiting[0])
            self.waiting.remove(victim)
        self.waiting.append(delivery)
