"""How long the spool remembers what is over."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from meet.media.twirp.egress_model import EgressState
from meet.recorder.control_spool import Memory, Spool

KEEP_S: Final = 7 * 24 * 3600


class Retention:
    """wall_ms: unix time in ms."""

    def __init__(self, spool: Spool, wall_ms: Callable[[], int]) -> None:
        self._spool = spool
        self._wall_ms = wall_ms

    def expired(self, state: EgressState) -> bool:
        """Over for so long that nobody asks any more."""
        ended = state.ended_at_ms or state.updated_at_ms or 0
        return state.final and self._wall_ms() - ended > KEEP_S * 1000

    def purge(self, state: EgressState, memory: Memory) -> bool:
        """Remove what ended long ago, and cancelled starts; False when it is to be kept.

        A journal whose recording failed stays on the disk: it may be all there is of a meeting."""
        cancelled = memory.stop == "cancelled" and state.status == "aborted"
        if not cancelled and not self.expired(state):
            return False
        if cancelled or state.status != "failed" or not self._spool.has_journal(state.egress_id):
            self._spool.remove(state.egress_id)
        return True
