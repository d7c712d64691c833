"""Another composite from a journal that was kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from meet.recorder.composer.compose import compose
from meet.recorder.composer.profile import Profile
from meet.recorder.composer.result import Result
from meet.recorder.journal.reader import JournalReader
from meet.recorder.journal.records import LayoutChange, Record
from meet.recorder.quarantine.admit import admitted
from meet.recorder.quarantine.ledger import Ledger
from meet.recorder.tracks.kept import KeptJournal


def read(journal: Path, on_time: Callable[[int], None] | None = None) -> Iterator[Record]:
    """The records of a finished journal, without what killed its recorder; on_time: told the time (µs) reached."""
    reader = JournalReader(journal)
    reader.finish()
    for record in admitted(reader, Ledger.read(journal).refused):
        if on_time is not None:
            on_time(record.at)
        yield record


def recompose(
    kept: KeptJournal,
    output: Path,
    *,
    layout: str | None = None,
    profile: Profile | None = None,
    on_time: Callable[[int], None] | None = None,
) -> Result:
    """Make `output`; without a layout, those of the recording, with their changes. profile: one of `kept.profile`.

    Raises ValueError (layout), EncodingUnsupported, OSError, av.FFmpegError.
    """
    records = read(kept.directory, on_time)
    if layout is not None:
        records = (record for record in records if not isinstance(record, LayoutChange))
    return compose(records, output, profile or kept.profile(), layout or kept.layout)
