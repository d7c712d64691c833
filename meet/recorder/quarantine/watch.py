"""One process's part: it takes over from a dead one, and leaves a note for the next."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import structlog

from meet.recorder.journal.records import Record
from meet.recorder.quarantine import note as notes
from meet.recorder.quarantine.admit import admitted
from meet.recorder.quarantine.ledger import Ledger
from meet.recorder.quarantine.note import Note

log = structlog.get_logger(__name__)


class Quarantine:
    """Of one recording. `ledger` already has what the last process died of; `note` is this one's."""

    def __init__(self, spool: Path) -> None:
        self._place = notes.place(spool)
        self.ledger = Ledger.read(spool / "journal")
        left = notes.read(self._place)
        if left is not None:
            self.ledger.count(left)
            try:
                self.ledger.write(spool / "journal")
            except OSError as error:
                log.error("composer_death_not_written", error=str(error))  # this process knows it all the same
        self.note = Note.open(self._place)
        self._given_up: set[tuple[str, str]] = set()

    def close(self) -> None:
        """Nobody follows."""
        notes.remove(self._place)

    def admitted(self, records: Iterable[Record]) -> Iterable[Record]:
        """What may be decoded."""
        return admitted(records, self.ledger.refused, lambda *place: self._given_up.add(place))

    def facts(self) -> dict[str, Any]:
        """For the integrity facts of the finished recording."""
        return {"frames_quarantined": len(self.ledger.refused), "tracks_given_up": len(self._given_up)}

    def words(self) -> str | None:
        """For its details, None when there is nothing to be said."""
        refused, given_up = len(self.ledger.refused), sorted(self._given_up)
        if not refused:
            return None
        said = f"frames left out because they crash or hang their decoder: {refused}"
        tracks = ", ".join(f"{identity} ({source})" for identity, source in given_up)
        return f"{said}, and the rest of {tracks}" if tracks else said
