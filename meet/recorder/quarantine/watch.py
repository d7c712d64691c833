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
    """Of one recording. `ledger` already has what the last process died of; `note` is this one's after `take_over`.

    All of it reads and writes files, `take_over` waits for the disk: nothing for an event loop."""

    def __init__(self, spool: Path) -> None:
        self._journal = spool / "journal"
        self._place = notes.place(spool)
        self.ledger = Ledger.read(self._journal)
        self._left = notes.read(self._place)
        if self._left is not None:
            self.ledger.count(self._left)
        self.note = notes.UNREAD
        self._given_up: set[tuple[str, str]] = set()

    def take_over(self) -> Note:
        """Write the last process's death down, and only then take its note away. Before anything is composed."""
        if self.note is not notes.UNREAD:
            return self.note
        if self._left is not None:
            try:
                self.ledger.write(self._journal)
            except OSError as error:
                log.error("composer_death_not_written", error=str(error))  # this process knows it all the same
        self.note = Note.open(self._place)
        return self.note

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
        behind = self.ledger.behind
        counts = {"they crash or hang their decoder": len(self.ledger.refused) - behind, "composing fails": behind}
        said = [f"frames left out because {why}: {count}" for why, count in counts.items() if count]
        tracks = ", ".join(f"{identity} ({source})" for identity, source in sorted(self._given_up))
        return "; ".join(said) + (f", and the rest of {tracks}" if tracks else "") if said else None
