"""The second half of a recording's life: from the last record to the final state, however often it takes."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path
from typing import Final

import av
import structlog

import storage
from meet.config import Settings
from meet.recorder import finish, manifest
from meet.recorder.composer.profile import Profile
from meet.recorder.composer.result import Aborted, Result
from meet.recorder.composing import Composing
from meet.recorder.finish import FileFacts
from meet.recorder.limits import REASONS
from meet.recorder.standing import Standing
from meet.recorder.tracks.extract import NothingReceived
from meet.recorder.upload.behind import UploadBehind

log = structlog.get_logger(__name__)

_COMPOSE_RETRY_S: Final = 2.0
_MAX_COMPOSE_RETRY_S: Final = 60.0
_BUSY: Final = "pictures are left out because the machine is busy"
_HOPELESS: Final = "the recording could not be composed: every process that tried has died; what was recorded is kept"


class Finishing:
    """Composes (again, where it must), stores, and lets go of the journal."""

    def __init__(
        self, settings: Settings, spool: Path, profile: Profile, standing: Standing, composing: Composing
    ) -> None:
        self._settings, self._spool, self._profile = settings, spool, profile
        self._standing, self._composing = standing, composing
        self.behind = UploadBehind(settings, composing.path, standing.now.key, profile, self._not_stored_yet)
        composing.on_begin = self.behind.start
        composing.on_busy = lambda busy: standing.remark("machine", _BUSY if busy else None)

    async def worth_trying(self, *, ended_at_ms: int) -> bool:
        """Wait, after others have died while they composed; False when the recording has been given up now."""
        ledger = self._composing.quarantine.ledger
        await asyncio.to_thread(self._composing.quarantine.take_over)
        if not ledger.hopeless:
            if ledger.pause_s:
                log.warning("composition_put_off", deaths=ledger.barren, seconds=ledger.pause_s)
                self._trouble(f"the recording could not be composed yet: {ledger.barren} processes have died of it")
                await asyncio.sleep(ledger.pause_s)
            return True
        await self.behind.abandon()
        self._standing.end("failed", error=_HOPELESS, error_code=500, ended_at_ms=ended_at_ms)
        await self._standing.settled()
        await asyncio.to_thread(finish.discard, self._spool, keep_journal=True)
        return False

    async def run(
        self, composed: asyncio.Future[Result], *, ended_at_ms: int, stop_reason: str = "", disk_full: bool = False
    ) -> int:
        """0 when done, 1 to be started again. disk_full: the journal could not be written to its end."""
        try:
            result, facts = await self._file(composed)
        except Aborted:
            return 1
        except NothingReceived as error:
            self._standing.end("failed", error=str(error), error_code=404, ended_at_ms=ended_at_ms)
            await self._standing.settled()
            await asyncio.to_thread(finish.discard, self._spool, keep_journal=self._composing.damaged)
            return 0
        await self._standing.flushed()
        if self._standing.given_up:
            log.warning("recording_given_up_by_control")
            await self.behind.abandon()
            await asyncio.to_thread(finish.discard, self._spool)
            return 0
        await self._store(facts.size, ended_at_ms)
        # A full disk also kept the journal from saying so.
        limit = result.ended_reason if result.limit else "disk_full" if disk_full else ""
        self._standing.end(
            "limit_reached" if limit else "complete",
            details=_with_losses(self._standing.final_details(stop_reason), result, self._composing.quarantine.words()),
            size=facts.size,
            duration_s=round(facts.duration_s, 3),
            error=REASONS.get(limit),
            ended_at_ms=ended_at_ms,
            store=storage.name(self._settings),
            integrity=finish.integrity(facts, result) | self._composing.quarantine.facts(),
        )
        await self._standing.settled()  # the journal may go only when a later process can read that it is not needed
        keep = self._settings.recording_keep_tracks or result.damaged_records > 0  # somebody may read more of it
        await asyncio.to_thread(finish.discard, self._spool, keep_journal=keep)
        return 0

    async def _file(self, composed: asyncio.Future[Result]) -> tuple[Result, FileFacts]:
        delay = _COMPOSE_RETRY_S
        while True:
            try:
                return await composed, await asyncio.to_thread(self._inspect)
            except (OSError, av.FFmpegError, finish.DamagedComposite) as error:
                # The journal is still there, so this is a delay (a full disk, most of all), not a loss.
                log.warning("composition_failed", error=str(error), retry_in_s=delay)
                self._trouble(f"the recording could not be composed yet: {error}")
                await self.behind.abandon()
                await asyncio.sleep(delay)
                delay = min(delay * 2, _MAX_COMPOSE_RETRY_S)
                if isinstance(error, finish.DamagedComposite):
                    await asyncio.to_thread(self._composing.forget)
                composed = self._composing.finished()

    def _inspect(self) -> FileFacts:
        note = self._composing.quarantine.note
        note.working(0)
        try:
            return finish.inspect(self._composing.path)
        finally:
            note.idle()  # also while it is waited to be made anew

    async def _store(self, size: int, ended_at_ms: int) -> None:
        blobs = await self.behind.store()
        path, content_type = self._composing.path, self._composing.content_type
        beside = partial(manifest.write, self._spool, self._standing.now, ended_at_ms)
        await finish.store(blobs, self._standing.now.key, path, size, content_type, self._trouble, beside)

    async def close(self) -> None:
        """Let go of the store."""
        await self.behind.close()

    def _trouble(self, text: str) -> None:
        self._standing.update(details=text)

    def _not_stored_yet(self, text: str | None) -> None:
        self._standing.remark("store", text)


def _with_losses(details: str | None, result: Result, quarantined: str | None) -> str | None:
    """What a busy machine, a long outage and a bad disk have cost, and what killed decoders, beside the end reason."""
    busy = f"{result.left_out} pictures were left out because the machine was busy" if result.left_out else None
    absent = f"no recorder was there for {result.absent_s:.0f} s, which are cut out" if result.absences else None
    damaged = (
        f"{result.damaged_bytes} bytes of the journal were damaged (places: {result.damaged_records}); it is kept"
        if result.damaged_records
        else None
    )
    losses = [said for said in (busy, absent, damaged, quarantined) if said]
    return "; ".join([details or "Complete", *losses]) if losses else details
