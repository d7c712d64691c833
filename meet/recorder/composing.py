"""The composer of one recording on a thread of its own, and what it tells the event loop."""

from __future__ import annotations

import asyncio
import contextvars
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Final

import av
import structlog

from meet.recorder import state
from meet.recorder.composer.compose import compose
from meet.recorder.composer.made import Unusable
from meet.recorder.composer.profile import Profile
from meet.recorder.composer.result import Aborted, Mismatch, Result
from meet.recorder.composer.seam import START, Seam
from meet.recorder.journal.reader import JournalReader
from meet.recorder.journal.records import Frame, Record
from meet.recorder.pieces import Pieces
from meet.recorder.quarantine.watch import Quarantine
from meet.recorder.tracks.extract import NothingReceived

log = structlog.get_logger(__name__)

_AFTER_NICENESS: Final = 10
STUCK_S: Final = 120.0
"""A composer that needs so long for one step will not come back. Opening encoders takes tenths of a second, the slowest
picture a few seconds on a machine with far too much to do; nothing but the file is late while we wait."""
STUCK_NICE_S: Final = 600.0
"""The same for one that comes last: beside twenty busy threads it gets a hundredth of a processor."""
_EXPECTED: Final = (OSError, av.FFmpegError, Aborted, Mismatch, Unusable, NothingReceived)
"""Whoever waits for the composition deals with these; anything else ends the process."""


class Composing:
    """Makes `path` from the spool's journal, going on where an earlier process was.

    on_ready, on_tiles: as `compose` calls them, but on the event loop.
    """

    def __init__(
        self,
        spool: Path,
        profile: Profile,
        *,
        on_ready: Callable[[], None],
        on_tiles: Callable[[dict[str, tuple[int, int]]], None],
    ) -> None:
        # Not on the event loop: this reads files.
        self.quarantine = Quarantine(spool)
        self._pieces = Pieces(spool, profile)
        self.path = self._pieces.path
        self._journal = spool / "journal"
        self._profile = profile
        self.layout = state.first_layout(spool / "request.json")
        """That of the recording's beginning."""
        self._on_ready, self._on_tiles = on_ready, on_tiles
        self.on_begin: Callable[[int], None] = lambda left: None
        """Called on the event loop when `path` is begun, with 0, or gone on with, with the bytes that are there.

        Not when earlier processes have left pieces."""
        self.on_busy: Callable[[bool], None] = lambda busy: None
        """Called on the event loop when the machine is too busy for all of the picture, and when it is no more."""
        self._loop: asyncio.AbstractEventLoop
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="composer")
        self._abort = threading.Event()
        self._reader: JournalReader | None = None
        self._busy_since: float | None = None
        self._excused_at = 0.0
        self._nice = False
        self._at = 0

    @property
    def content_type(self) -> str:
        """Media type of the file."""
        return self._profile.content_type

    @property
    def stuck(self) -> bool:
        """The composer's thread has been inside of one step for longer than any takes: in a codec, most likely."""
        since = self._busy_since
        patience = STUCK_NICE_S if self._nice else STUCK_S
        return since is not None and time.monotonic() - max(since, self._excused_at) > patience

    @property
    def damaged(self) -> bool:
        """Something of the journal could not be read."""
        return self._reader is not None and self._reader.damage.records > 0

    def excuse(self) -> None:
        """What has kept it until now was not its own fault: a disk that takes nothing from anybody."""
        self._excused_at = time.monotonic()

    def abort(self) -> None:
        """Have the composition end with Aborted."""
        self._abort.set()

    def live(self, reader: JournalReader, now: Callable[[], int]) -> asyncio.Future[Result]:
        """Behind a journal that is being written. now: the journal's clock."""
        return self._start(reader, now)

    def finished(self, *, nice: bool = False) -> asyncio.Future[Result]:
        """From a journal that nobody writes any more. nice: meetings and live recordings come first, from now on."""
        if nice:
            os.nice(_AFTER_NICENESS)
            self._nice = True
        reader = JournalReader(self._journal)
        reader.finish()
        return self._start(reader, None)

    async def left(self) -> tuple[int, float]:
        """Bytes and seconds that compositions have left which came to an early end; about what the next one goes on
        behind."""
        return await asyncio.to_thread(self._pieces.left)

    def _start(self, reader: JournalReader, now: Callable[[], int] | None) -> asyncio.Future[Result]:
        self._reader = reader
        context = contextvars.copy_context()  # what is logged there is about this recording, too
        self._loop = asyncio.get_running_loop()
        return self._loop.run_in_executor(self._thread, context.run, self._noted, reader, now)

    def _noted(self, reader: JournalReader, now: Callable[[], int] | None) -> Result:
        """Compose, in a way that tells the next process what this one died of."""
        # On the composer's thread, as all that follows.
        note, ledger = self.quarantine.take_over(), self.quarantine.ledger
        note.begin(live=now is not None)
        try:
            if now is None and ledger.afresh:
                log.warning("composite_begun_afresh", deaths=ledger.barren)
                self.forget()
            note.working(self._at)
            result = self._compose(reader, now)
        except Exception as error:
            if isinstance(error, _EXPECTED):
                note.idle()
            else:
                note.leave()  # this process will end, but of no decoder: that has come back
            if now is not None and not isinstance(error, Aborted):
                # Nobody waits for the result before the meeting is over: the file is made from the journal then.
                log.error("live_composition_failed", error=f"{type(error).__name__}: {error}")
            raise
        finally:
            self._busy_since = None
        note.idle()
        return result

    def forget(self) -> None:
        """Nothing of what was made is worth anything. Raises OSError."""
        self._pieces.forget()

    def _compose(self, reader: JournalReader, now: Callable[[], int] | None) -> Result:
        made = self._pieces.made() if now is None else None
        if made is not None:
            return made
        seam = self._pieces.seal()
        self._tell_begin(seam)
        try:
            result = self._make(reader, now, seam)
            self._step()
            self._busy_since = None  # the rest is work for a disk
            self._pieces.finish(result)
            return result
        except (Mismatch, Unusable, av.FFmpegError) as error:
            if seam is START or isinstance(error, OSError):  # of a disk, say: what is there is as good as before
                raise
            log.warning("composite_pieces_given_up", error=str(error))
        self._pieces.forget()
        # From the beginning, and with the same reader: the meeting may still be going on.
        return self._compose(reader, None)

    def _tell_begin(self, seam: Seam) -> None:
        if seam is START or seam.inside:
            self._call(self.on_begin, self.path.stat().st_size if seam.inside else 0)

    def _make(self, reader: JournalReader, now: Callable[[], int] | None, seam: Seam) -> Result:
        try:
            return self._pass(reader, now, seam)
        except Unusable as error:
            # Said before anything is written, and before any record is read.
            log.warning("composite_not_gone_on_with", error=str(error))
        seam = self._pieces.set_aside()
        self._tell_begin(seam)
        return self._pass(reader, now, seam)

    def _pass(self, reader: JournalReader, now: Callable[[], int] | None, seam: Seam) -> Result:
        result = compose(
            self._watched(reader),
            self._pieces.writing(),
            self._profile,
            self.layout,
            on_ready=lambda: self._call(self._on_ready),
            on_tiles=lambda sizes: self._call(self._on_tiles, sizes),
            abort=self._abort,
            live=now,
            seam=seam,
            on_step=self._step,
            note=self.quarantine.note,
            on_busy=lambda busy: self._call(self.on_busy, busy),
        )
        return with_damage(result, reader)

    def _step(self) -> None:
        self._busy_since = time.monotonic()
        self.quarantine.note.working(self._at)

    def _watched(self, records: Iterable[Record], *, whole: bool = False) -> Iterator[Record]:
        """The records that may be decoded; while the next one is waited for, nothing can be stuck.

        whole: each frame is given to native code before the next one is asked for."""
        note = self.quarantine.note
        for record in self.quarantine.admitted(records):
            self._at = record.at
            if whole or not isinstance(record, Frame):
                self._step()
            else:
                self._busy_since = time.monotonic()  # frames only wait for their time, mostly
            if whole and isinstance(record, Frame):
                note.enter(record.track, record.rtp)
            yield record
            self._busy_since = None
            note.idle()

    def _call(self, told: Callable[..., None], *arguments: object) -> None:
        # On the composer's thread.
        self._loop.call_soon_threadsafe(told, *arguments)


def with_damage(result: Result, reader: JournalReader) -> Result:
    """With what the reader could not read."""
    return replace(result, damaged_records=reader.damage.records, damaged_bytes=reader.damage.bytes)
