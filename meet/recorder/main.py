"""One recording, from its spool entry to its final state; started again after a crash it goes on where it was."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final

import setproctitle
import structlog

from meet.config import Settings
from meet.recorder import finish, state
from meet.recorder.composer import rows
from meet.recorder.composer.profile import EncodingUnsupported, Profile
from meet.recorder.composer.result import Result
from meet.recorder.cutoff import Cutoff
from meet.recorder.extracting import Extracting, composing_of
from meet.recorder.finishing import Finishing
from meet.recorder.journal.reader import JournalReader
from meet.recorder.journal.summary import Summary, summarize
from meet.recorder.journal.writer import JournalWriter
from meet.recorder.jsonfile import read_object
from meet.recorder.limits import REASONS, Coming, LimitWatch, as_it_came, at_most, behind
from meet.recorder.link import ControlLink
from meet.recorder.pieces import boot_id
from meet.recorder.standing import Standing, end_reason
from meet.recorder.state import EgressState
from meet.recorder.subscriber import recording as subscriber
from meet.recorder.subscriber.selection import Selection, chosen_by
from meet.recorder.subscriber.signalling import Signalling, mint_token
from meet.tls import trust_own

log = structlog.get_logger(__name__)

PATIENCE_S: Final = 8.0
"""How long a first join may take; the backend gives up a start after 20 s."""
REJOIN_PATIENCE_S: Final = 15.0
"""How long a room may be away, while the media server restarts, before its meeting counts as over."""
TILE: Final = (640, 360)
_LINGER_S: Final = 3.0
_BEAT_S: Final = 1.0
_LIMITS_S: Final = 1.0
_CUTOFF_RETRY_S: Final = 1.0
_COMPOSED_LATER: Final = "the file is made when the recording is over: composing has failed for now"
_NO_BEGIN: Final = "the journal is damaged: nothing in it tells where the recording began; it is kept"


def run(settings: Settings, egress_id: str, beat: Callable[[], None] = lambda: None) -> int:
    """Record or finish `egress_id`; 0 when nothing is left to do, anything else to be started again.

    beat: called every second as long as the event loop turns and the composer gets on."""
    spool = settings.data_dir / "spool" / egress_id
    try:
        request = read_object(spool / "request.json") or {}
    except FileNotFoundError:
        log.info("recording_entry_gone", egress_id=egress_id)
        return 0
    if not all(request.get(name) and isinstance(request[name], str) for name in ("egress_id", "room_name", "key")):
        log.error("recording_request_damaged", egress_id=egress_id)
        return 0
    structlog.contextvars.bind_contextvars(egress_id=egress_id)
    rows.choose(settings.media_native)
    setproctitle.setproctitle(f"meet recorder {_recording_id(request)}")
    current = state.read(spool / "state.json") or EgressState.from_request(request)
    if current.final:
        if current.status in ("complete", "limit_reached"):  # killed between the last word and the cleaning up
            damaged = (current.integrity or {}).get("damaged_records")
            finish.discard(spool, keep_journal=settings.recording_keep_tracks or bool(damaged))
        return 0
    deferred = (request.get("compose") or settings.recording_compose) == "after"
    recorder = Recorder(settings, spool, current, chosen_by(request), deferred=deferred)
    return asyncio.run(_beating(recorder, beat))


async def _beating(recorder: Recorder, beat: Callable[[], None]) -> int:
    """Work; with a composer that is stuck, silently, so that the process is replaced like one that hangs."""

    async def forever() -> None:
        told = False
        while True:
            if not recorder.stuck():
                beat()
            elif not told:
                log.error("composer_stuck")
                told = True
            await asyncio.sleep(_BEAT_S)

    beats = asyncio.create_task(forever())
    try:
        return await recorder.run()
    finally:
        beats.cancel()


def _recording_id(request: dict[str, Any]) -> str:
    """`<roomId>--<egressId>--<uid>` for a key that ends in `<roomId>--<uid>.mp4`, else the egress id."""
    room, _, uid = Path(str(request.get("key"))).stem.rpartition("--")
    return f"{room}--{request['egress_id']}--{uid}" if room == request.get("room_name") else str(request["egress_id"])


class Recorder:
    """The life of one recording in this process."""

    def __init__(
        self, settings: Settings, spool: Path, first: EgressState, selection: Selection | None, *, deferred: bool
    ) -> None:
        """deferred: compose when the meeting is over."""
        self._settings, self._spool, self._first, self._selection = settings, spool, first, selection
        self._deferred = deferred
        self._composing_stuck: Callable[[], bool] = lambda: False
        self._cutoff = Cutoff(spool / "journal")
        self._writer: JournalWriter | None = None
        self._journal_error: OSError | None = None
        self._recording: subscriber.RoomRecording | None = None
        self._sink: subscriber.JournalSink | None = None
        self._cancelled = False
        self._stop_reason: str | None = None
        self._pause_wanted: bool | None = None

    def stuck(self) -> bool:
        """It can only be replaced. Not while the journal waits for the disk: what is queued would be lost."""
        if self._writer is not None and self._writer.waiting:
            self._composing.excuse()
            return False
        return self._composing_stuck()

    async def run(self) -> int:
        """0 when done, 1 to be started again."""
        self._loop = asyncio.get_running_loop()
        link = ControlLink(self._settings.data_dir / "run" / "egress.sock", self._first, self._command)
        path = self._spool / "state.json"
        self._standing = Standing(path, self._first, link.report, lambda: self._stop("cancelled"))
        if self._settings.recording_on_shutdown == "finish":
            self._loop.add_signal_handler(signal.SIGTERM, self._stop, "server stopped")
        else:
            # systemd tells every process of a service; this one goes on until the supervisor kills it.
            self._loop.add_signal_handler(signal.SIGTERM, lambda: None)
        try:
            try:
                profile = Profile.of(self._first.encoding, self._first.only, self._first.container)
            except EncodingUnsupported as error:
                self._standing.end("failed", error=str(error), error_code=400)
                return 0
            self._composing = await asyncio.to_thread(
                composing_of, self._spool, profile, on_ready=self._active, on_tiles=self._want_sizes
            )
            self._composing_stuck = lambda: self._composing.stuck
            self._deferred = self._deferred or self._composing.quarantine.ledger.journal_only
            self._finishing = Finishing(self._settings, self._spool, profile, self._standing, self._composing)
            try:
                code = await self._record(profile)
            finally:
                await self._finishing.close()
            if not code:
                await asyncio.to_thread(self._composing.quarantine.close)
            return code
        finally:
            await self._standing.flushed()
            await link.close(_LINGER_S)

    async def _record(self, profile: Profile) -> int:
        past, cut_off = await asyncio.to_thread(self._look_back)
        if past.stopped or self._standing.now.status == "ending" or cut_off:
            return await self._finish_from_journal(past, cut_off)
        reader = JournalReader(self._spool / "journal")
        self._writer = writer = JournalWriter(
            self._spool / "journal",
            reader.wake,
            self._journal_failed,
            past,
            self._want_keys,
            self._cutoff.prepare,
            self._journal_broken,
        )
        boot = boot_id()
        clock = subscriber.SteadyClock.behind(past, boot)
        self._sink = subscriber.JournalSink(writer, clock, self._standing.now.egress_id, past, boot)
        if self._standing.now.layout != self._composing.layout:
            self._sink.layout(self._standing.now.layout)
        self._recording = subscriber.RoomRecording(
            self._connect,
            self._sink,
            clock,
            # Nobody has arranged the picture yet: what is received must do for any tile.
            tile=(profile.width, profile.height) if self._deferred else TILE,
            patience_s=PATIENCE_S,
            rejoin_patience_s=REJOIN_PATIENCE_S,
        )
        if self._stop_reason is not None:
            self._recording.stop(self._stop_reason)
        self._standing.remark("composer", _COMPOSED_LATER if self._composing.quarantine.ledger.journal_only else None)
        # What the journal says counts, until the control says otherwise.
        self._pause(self._sink.paused if self._pause_wanted is None else self._pause_wanted)
        composed: asyncio.Future[Result] | None = None
        if self._deferred:
            self._sink.on_begin = self._active
            if past.begun:
                self._active()
        else:
            composed = self._composing.live(reader, clock.now)
            composed.add_done_callback(self._composed)
        watching = asyncio.create_task(self._watch_limits(profile, self._sink, composed))
        try:
            result = await self._recording.run(ever_joined=past.begun, lost_at=past.last_at)
        finally:
            watching.cancel()
        log.info("recording_over", reason=result.reason, joined=result.ever_joined)
        begun = past.begun or self._standing.now.status != "starting"
        if not begun and (self._cancelled or not result.ever_joined):
            return await self._give_up(writer, reader, composed, result)
        if not past.begun:
            self._sink.begin()
        self._sink.stop(result.at, result.reason, limit=result.reason in REASONS)
        if self._standing.now.status == "active":
            self._standing.advance("ending", details=end_reason(result.reason), paused=False)
        await asyncio.to_thread(writer.close)
        reader.finish()
        return await self._finishing.run(
            composed or self._composing.finished(nice=self._deferred),
            ended_at_ms=result.at // 1000,
            stop_reason=self._stop_reason or "",
            disk_full=self._journal_error is not None,
        )

    def _look_back(self) -> tuple[Summary, bool]:
        """Of earlier processes: what they have recorded, and whether a full disk ended it."""
        return summarize(self._spool / "journal"), self._cutoff.known

    async def _give_up(
        self,
        writer: JournalWriter,
        reader: JournalReader,
        composed: asyncio.Future[Result] | None,
        result: subscriber.Result,
    ) -> int:
        """Nothing was recorded and nothing is left behind."""
        self._composing.abort()
        await asyncio.to_thread(writer.close)
        reader.finish()
        if composed is not None:
            await asyncio.gather(composed, return_exceptions=True)
        await asyncio.to_thread(finish.discard, self._spool)
        if self._cancelled:
            self._standing.end("aborted", details="Stopped before the recording could start")
        else:
            reason = f"the recorder could not join: {result.reason}"
            if self._journal_error is not None:
                reason = f"the journal could not be written: {self._journal_error.strerror}"
            self._standing.end("failed", stop_reason=self._stop_reason or "", error=reason, error_code=503)
        return 0

    async def _finish_from_journal(self, past: Summary, cut_off: bool) -> int:
        if not past.begun:
            # What had begun says so in its journal, many times.
            damaged = self._standing.now.status != "starting" and past.last_at > 0
            error = _NO_BEGIN if damaged else "the recording ended before anything was received"
            await asyncio.to_thread(finish.discard, self._spool, keep_journal=damaged)
            self._standing.end("failed", error=error, error_code=500)
            return 0
        if self._standing.now.status != "ending":
            reason = end_reason("disk_full" if cut_off else "finished after a restart")
            self._standing.advance("ending", details=reason, paused=False)
        # The words are those of every limit; the others also have a Stop record.
        full = cut_off or self._standing.now.details == end_reason("disk_full")
        ended_at_ms = past.last_at // 1000
        if not await self._finishing.worth_trying(ended_at_ms=ended_at_ms):
            return 0
        composed = self._composing.finished(nice=self._deferred)
        return await self._finishing.run(composed, ended_at_ms=ended_at_ms, disk_full=full)

    def _connect(self) -> Signalling:
        settings = self._settings
        token = mint_token(
            settings.livekit_api_key,
            settings.livekit_api_secret,
            room=self._standing.now.room_name,
            identity=self._standing.now.egress_id,
        )
        own = settings.tls_cert if settings.livekit_embedded else None
        tls = trust_own(own) if own else True
        return Signalling(settings.livekit_url_private, token, tls=tls, selection=self._selection)

    def _command(self, command: dict[str, Any]) -> None:
        if command.get("type") == "stop":
            self._cancelled = self._cancelled or command.get("reason") == "cancelled"
            self._stop(str(command.get("reason") or "stopped"))
        elif command.get("type") == "update_layout":
            layout = str(command.get("layout"))
            self._standing.update(layout=layout)
            if self._sink is not None:
                self._sink.layout(layout)
        elif command.get("type") in ("pause", "resume"):
            self._pause(command["type"] == "pause")

    def _pause(self, paused: bool) -> None:
        """Told again after every reconnection."""
        if self._recording is None:
            self._pause_wanted = paused  # not recording yet, or not any more
            return
        if paused:
            self._recording.pause()
        else:
            self._recording.resume()
        if self._standing.now.paused is not paused and self._standing.now.status in ("starting", "active"):
            self._standing.update(paused=paused)
            log.info("recording_paused" if paused else "recording_resumed")

    def _stop(self, reason: str) -> None:
        self._stop_reason = self._stop_reason or reason
        if self._recording is not None:
            self._recording.stop(reason)

    async def _watch_limits(
        self, profile: Profile, sink: subscriber.JournalSink, composed: asyncio.Future[Result] | None
    ) -> None:
        coming: Coming | None = partial(at_most, profile) if self._deferred else None
        if isinstance(self._composing, Extracting):
            coming = as_it_came
        elif self._composing.quarantine.ledger.journal_only:
            coming = partial(behind, profile, *await self._composing.left())
        watch = LimitWatch(self._settings, self._composing.path, coming)
        while self._stop_reason is None:
            if composed is not None and composed.done() and watch.coming is None:  # it has failed
                watch.coming = partial(behind, profile, *await self._composing.left())
            reached = await asyncio.to_thread(watch.reached, sink.recorded_us / 1e6, sink.media_bytes)
            if reached is not None:
                log.warning("recording_limit_reached", limit=reached)
                self._stop(reached)
            await asyncio.sleep(_LIMITS_S)

    def _composed(self, composed: asyncio.Future[Result]) -> None:
        """While the recording runs, that is bad news; it goes on all the same."""
        if not composed.cancelled() and composed.exception() is not None:
            self._standing.remark("machine", None)
            self._standing.remark("composer", _COMPOSED_LATER)

    def _journal_failed(self, error: OSError) -> None:
        # On the journal's thread.
        self._journal_error = error
        log.error("journal_write_failed", error=str(error))
        self._loop.call_soon_threadsafe(self._cut_off)

    def _journal_broken(self, error: BaseException) -> None:
        """Out of memory, or a mistake of ours: only another process can go on, and every second until then is lost."""
        # On the journal's thread.
        try:
            self._composing.quarantine.note.idle()  # no decoder's fault
            log.critical("journal_thread_broken", error=f"{type(error).__name__}: {error}", exc_info=error)
            sys.stderr.flush()
        finally:
            os._exit(1)

    def _cut_off(self) -> None:
        self._stop("disk_full")
        self._remembering = self._loop.create_task(self._remember_cutoff())

    async def _remember_cutoff(self) -> None:
        """If this process dies before the end, the next one must not take the file for a complete one."""
        while True:
            try:
                await asyncio.to_thread(self._cutoff.remember)
                return
            except OSError as error:
                log.warning("cutoff_not_remembered", error=str(error))
                await asyncio.sleep(_CUTOFF_RETRY_S)

    def _want_keys(self) -> None:
        if self._recording is not None:
            self._recording.want_keys()

    def _want_sizes(self, sizes: dict[str, tuple[int, int]]) -> None:
        if self._recording is not None:
            self._recording.want_sizes(sizes)

    def _active(self) -> None:
        if self._standing.now.status == "starting":
            begun = self._sink.begun_at // 1000 if self._sink is not None else 0
            self._standing.advance("active", started_at_ms=begun or state.now_ms())
