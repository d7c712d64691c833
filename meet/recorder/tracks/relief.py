"""Old kept journals make way: for their sake no recording is refused or ended."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import structlog

from meet.recorder import state

log = structlog.get_logger(__name__)


def relieve(spool: Path, short: Callable[[], bool]) -> bool:
    """While `short()`, remove kept journals of stored recordings, those that ended first; False when it stays short."""
    if not short():
        return True  # asked every second: what is kept is only looked for when it has to be
    for journal in _kept(spool):
        shutil.rmtree(journal, ignore_errors=True)
        log.warning("kept_journal_removed", egress_id=journal.parent.name, reason="disk space is short")
        if not short():
            return True
    return False


def _kept(spool: Path) -> Iterator[Path]:
    ended: list[tuple[int, Path]] = []
    for journal in spool.glob("EG_*/journal"):
        current = state.read(journal.parent / "state.json")
        # That of a failed recording may be all there is of a meeting.
        if current is not None and current.status in ("complete", "limit_reached"):
            ended.append((current.ended_at_ms or current.updated_at_ms or 0, journal))
    return (journal for _, journal in sorted(ended))
