"""How long the spool remembers what is over."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import structlog

from meet.media.twirp.egress_model import EgressState
from meet.recorder.control.spool import Memory, Spool

log = structlog.get_logger(__name__)

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

    def left_over(self, state: EgressState, memory: Memory) -> bool:
        """What a dead process did not get to remove: expired, or cancelled before it began."""
        return self.expired(state) or (memory.stop == "cancelled" and state.status == "aborted")

    def purge(self, state: EgressState) -> None:
        """Remove it. A journal whose recording failed stays on the disk: it may be all there is of a meeting."""
        try:
            if state.status != "failed" or not self._spool.has_journal(state.egress_id):
                self._spool.remove(state.egress_id)
        except OSError as error:
            log.error("spool_entry_not_removed", egress_id=state.egress_id, error=error.strerror)
