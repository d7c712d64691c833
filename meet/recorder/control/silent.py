"""Recorders that do not speak to us: what has become of them is in their files."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Final

import structlog

from meet.media.twirp.egress_model import EgressState
from meet.recorder.control.disk import Disk
from meet.recorder.control.entry import Entry, may_move
from meet.recorder.control.ledger import Ledger
from meet.recorder.control.spool import Spool

log = structlog.get_logger(__name__)

LOOK_S: Final = 5.0


class SilentRecorders:
    """Every few seconds looks after those without a link: one that ended while it could not tell would never be over.

    wall_ms: unix time in ms."""

    def __init__(self, ledger: Ledger, spool: Spool, disk: Disk, wall_ms: Callable[[], int]) -> None:
        self._ledger, self._spool, self._disk, self._wall_ms = ledger, spool, disk, wall_ms

    async def watch(self) -> None:
        """Runs until cancelled."""
        while True:
            await asyncio.sleep(LOOK_S)
            for entry in self._ledger:
                if self._silent(entry):
                    await self._look(entry)

    @staticmethod
    def _silent(entry: Entry) -> bool:
        return entry.link is None and not (entry.launching or entry.given_up or entry.state.final)

    async def _look(self, entry: Entry) -> None:
        found = await self._disk.run(partial(self._found, entry.state))
        if found is not None and self._silent(entry) and may_move(entry.state.status, found.status):
            log.warning("recorder_found_by_its_files", egress_id=found.egress_id, status=found.status)
            self._ledger.move(entry, found)

    def _found(self, state: EgressState) -> EgressState | None:
        # On the disk's thread.
        if self._spool.lost(state.egress_id):
            now = self._wall_ms()
            error = "the files of the recording are gone"
            return replace(state, status="failed", error=error, error_code=500, updated_at_ms=now, ended_at_ms=now)
        written = self._spool.peek(state.egress_id)
        return written[0] if written is not None else None
