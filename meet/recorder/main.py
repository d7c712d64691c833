"""One recording, from its spool entry to its final state; started again after a crash it goes on where it was."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import av
import setproctitle
import structlog

import storage
from meet.config import Settings
from meet.recorder import finish, state
from meet.recorder.composer.compose import Aborted, Result, compose
from meet.recorder.composer.profile import EncodingUnsupported, Profile
from meet.recorder.journal.reader import JournalReader
from meet.recorder.journal.summary import Summary, summarize
from meet.recorder.journal.writer import JournalWriter
from meet.recorder.limits import REASONS, LimitWatch
from meet.recorder.link import ControlLink
from meet.recorder.state import EgressState
from meet.recorder.subscriber import recording as subscriber
from meet.recorder.subscriber.selection import Selection
from meet.recorder.subscriber.signalling import Signalling, mint_token
from meet.tls import trust_own

log = structlog.get_logger(__name__)

PATIENCE_S: Final = 8.0
"""How long a first join may take; the backend gives up a start after 20 s."""
REJOIN_PATIENCE_S: Final = 15.0
"""How long a room may be away, while the media server restarts, before its meeting counts as over."""
TILE: Final = (640, 360)
_AFTER_NICENESS: Final = 10
_LINGER_S: Final = 3.0
_BEAT_S: Final = 1.0
_LIMITS_S: Final = 1.0
_STATE_RETRY_S: Final = 2.0
_COMPOSE_RETRY_S: Final = 2.0
_MAX_COMPOSE_RETRY_S: Final = 60.0


def run(settings: Settings, egress_id: str, beat: Callable[[], None] = lambda: None) -> int:
    """Record or finish `egress_id`; 0 when nothing is left to do, anything else to be started again.

    beat: called every second as long as the event loop turns."""
    spool = settings.data_dir / "spool" / egress_id
    try:
        request = json.loads((spool / "request.json").read_text())
    except FileNotFoundError:
        log.info("recording_entry_gone", egress_id=egress_id)
        return 0
    except ValueError:
        log.error("recording_request_damaged", egress_id=egress_id)
        return 0
    structlog.contextvars.bind_contextvars(egress_id=egress_id)
    setproctitle.setproctitle(f"meet recorder {_recording_id(request)}")
    current = state.read(spool / "state.json") or EgressState.from_request(request)
    if current.final:
        if current.status in ("complete", "limit_reached"):  # killed between the last word and the cleaning up
            finish.discard(spool, keep_journal=settings.recording_keep_tracks)
        return 0
    return asyncio.run(_beating(Recorder(settings, spool, current, Selection.from_request(request)).run(), beat))


async def _beating(work: Coroutine[Any, Any, int], beat: Callable[[], None]) -> int:
    async def forever() -> None:
        while True:
            beat()
            await asyncio.sleep(_BEAT_S)

    beats = asyncio.create_task(forever())
    try:
        return await work
    finally:
        beats.cancel()


def _recording_id(request: dict[str, Any]) -> str:
    """`<roomId>--<egressId>--<uid>` for a key that ends in `<roomId>--<uid>.mp4`, else the egress id."""
    room, _, uid = Path(str(request.get("key"))).stem.rpartition("--")
    return f"{room}--{request['egress_id']}--{uid}" if room == request.get("room_name") else str(request["egress_id"])


class Recorder:
    """The life of one recording in this process."""

    def __init__(self, settings: Settings, spool: Path, current: EgressState, selection: Selection | None) -> None:
        self._settings = settings
        self._spool = spool
        self._state = current
        self._selection = selection
        self._first_layout = state.first_layout(spool / "request.json")
        self._composing = ThreadPoolExecutor(1, thread_name_prefix="composer")
        self._abort = threading.Event()
        self._journal_error: OSError | None = None
        self._ended_at_ms: int | None = None
        self._written = self._written_final = self._given_up = False

    async def run(self) -> int:
        """0 when done, 1 to be started again."""
        self._loop = asyncio.get_running_loop()
        self._recording: subscriber.RoomRecording | None = None
        self._sink: subscriber.JournalSink | None = None
        self._cancelled = False
        self._stop_reason: str | None = None
        self._link = ControlLink(self._settings.data_dir / "run" / "egress.sock", self._state, self._command)
        self._loop.add_signal_handler(signal.SIGTERM, self._stop, "server stopped")
        try:
            try:
                profile = Profile.of(self._state.encoding)
            except EncodingUnsupported as error:
                self._end("failed", error=str(error), error_code=400)
                return 0
            return await self._record(profile)
        finally:
            await self._link.close(_LINGER_S)

    async def _record(self, profile: Profile) -> int:
        past = await asyncio.to_thread(summarize, self._spool / "journal")
        if past.stopped or self._state.status == "ending":
            return await self._finish_from_journal(profile, past)
        reader = JournalReader(self._spool / "journal")
        writer = JournalWriter(self._spool / "journal", reader.wake, self._journal_failed, past)
        clock = subscriber.SteadyClock()
        self._sink = subscriber.JournalSink(
            writer, clock, self._state.egress_id, next_track=past.next_track, begun_at=past.begin_at
        )
        if self._state.layout != self._first_layout:
            self._sink.layout(self._state.layout)
        deferred = self._settings.recording_compose == "after"
        self._recording = subscriber.RoomRecording(
            self._connect,
            self._sink,
            clock,
            # Nobody has arranged the picture yet: what is received must do for any tile.
            tile=(profile.width, profile.height) if deferred else TILE,
            patience_s=PATIENCE_S,
            rejoin_patience_s=REJOIN_PATIENCE_S,
        )
        if self._stop_reason is not None:
            self._recording.stop(self._stop_reason)
        composed: asyncio.Future[Result] | None = None
        if deferred:
            self._sink.on_begin = self._active
            if past.begun:
                self._active()
        else:
            composed = self._loop.run_in_executor(self._composing, self._compose, reader, profile, clock.now)
        watching = asyncio.create_task(self._watch_limits())
        try:
            result = await self._recording.run(ever_joined=past.begun, lost_at=past.last_at)
        finally:
            watching.cancel()
        log.info("recording_over", reason=result.reason, joined=result.ever_joined)
        begun = past.begun or self._state.status != "starting"
        if not begun and (self._cancelled or not result.ever_joined):
            return await self._give_up(writer, reader, composed, result)
        if not past.begun:
            self._sink.begin()
        self._ended_at_ms = result.at // 1000
        self._sink.stop(result.at, result.reason, limit=result.reason in REASONS)
        if self._state.status == "active":
            self._advance("ending", details=_details(result.reason))
        await asyncio.to_thread(writer.close)
        reader.finish()
        return await self._finish(composed or self._compose_after(profile), profile)

    async def _give_up(
        self,
        writer: JournalWriter,
        reader: JournalReader,
        composed: asyncio.Future[Result] | None,
        result: subscriber.Result,
    ) -> int:
        """Nothing was recorded and nothing is left behind."""
        self._abort.set()
        await asyncio.to_thread(writer.close)
        reader.finish()
        if composed is not None:
            await asyncio.gather(composed, return_exceptions=True)
        finish.discard(self._spool)
        if self._cancelled:
            self._end("aborted", details="Stopped before the recording could start")
        else:
            self._end("failed", error=f"the recorder could not join: {result.reason}", error_code=503)
        return 0

    async def _finish_from_journal(self, profile: Profile, past: Summary) -> int:
        if not past.begun:
            finish.discard(self._spool)
            self._end("failed", error="the recording ended before anything was received", error_code=500)
            return 0
        self._ended_at_ms = past.last_at // 1000
        if self._state.status != "ending":
            self._advance("ending", details="End reason: finished after a restart")
        return await self._finish(self._compose_after(profile), profile)

    def _compose_after(self, profile: Profile) -> asyncio.Future[Result]:
        if self._settings.recording_compose == "after":
            os.nice(_AFTER_NICENESS)  # meetings and live recordings come first
        return self._compose_again(profile)

    def _compose_again(self, profile: Profile) -> asyncio.Future[Result]:
        reader = JournalReader(self._spool / "journal")
        reader.finish()
        return self._loop.run_in_executor(self._composing, self._compose, reader, profile)

    def _compose(self, reader: JournalReader, profile: Profile, live: Callable[[], int] | None = None) -> Result:
        return compose(
            reader,
            self._spool / "composite.mp4",
            profile,
            self._first_layout,
            on_ready=self._first_frame,
            on_tiles=self._tiles_changed,
            abort=self._abort,
            live=live,
        )

    async def _finish(self, composed: asyncio.Future[Result], profile: Profile) -> int:
        path = self._spool / "composite.mp4"
        delay = _COMPOSE_RETRY_S
        while True:
            try:
                result = await composed
                facts = await asyncio.to_thread(finish.inspect, path)
                break
            except Aborted:
                return 1
            except (OSError, av.FFmpegError, finish.DamagedComposite) as error:
                # The journal is still there, so this is a delay (a full disk, most of all), not a loss.
                log.warning("composition_failed", error=str(error), retry_in_s=delay)
                self._trouble(f"the recording could not be composed yet: {error}")
                await asyncio.sleep(delay)
                delay = min(delay * 2, _MAX_COMPOSE_RETRY_S)
                composed = self._compose_again(profile)
        if self._given_up:
            log.warning("recording_given_up_by_control")
            await asyncio.to_thread(finish.discard, self._spool)
            return 0
        blobs = storage.create(self._settings)
        try:
            await finish.store(blobs, self._state.key, path, facts.size, profile.content_type, self._trouble)
        finally:
            await blobs.close()
        # A full disk also kept the journal from saying so.
        limit = result.ended_reason if result.limit else "disk_full" if self._journal_error is not None else ""
        status = "limit_reached" if limit else "complete"
        reason = REASONS.get(limit)
        self._end(
            status,
            size=facts.size,
            duration_s=round(facts.duration_s, 3),
            error=reason,
            ended_at_ms=self._ended_at_ms,
            details=_with_losses(self._final_details(), result),
            integrity=finish.integrity(facts, result),
        )
        while not self._written:
            # The journal may go only when a later process can read that it is not needed.
            await asyncio.sleep(_STATE_RETRY_S)
            self._set(self._state)
        await asyncio.to_thread(finish.discard, self._spool, keep_journal=self._settings.recording_keep_tracks)
        return 0

    def _connect(self) -> Signalling:
        settings = self._settings
        token = mint_token(
            settings.livekit_api_key,
            settings.livekit_api_secret,
            room=self._state.room_name,
            identity=self._state.egress_id,
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
            self._set(replace(self._state, layout=layout, updated_at_ms=state.now_ms()))
            if self._sink is not None:
                self._sink.layout(layout)

    def _stop(self, reason: str) -> None:
        self._stop_reason = self._stop_reason or reason
        if self._recording is not None:
            self._recording.stop(reason)

    async def _watch_limits(self) -> None:
        watch = LimitWatch(self._settings, self._spool / "composite.mp4")
        while self._stop_reason is None:
            reached = await asyncio.to_thread(watch.reached, self._sink.begun_at if self._sink is not None else 0)
            if reached is not None:
                log.warning("recording_limit_reached", limit=reached)
                self._stop(reached)
            await asyncio.sleep(_LIMITS_S)

    def _journal_failed(self, error: OSError) -> None:
        self._journal_error = error
        log.error("journal_write_failed", error=str(error))
        self._loop.call_soon_threadsafe(self._stop, "disk_full")

    def _first_frame(self) -> None:
        # On the composer's thread.
        self._loop.call_soon_threadsafe(self._active)

    def _tiles_changed(self, sizes: dict[str, tuple[int, int]]) -> None:
        # On the composer's thread, too.
        self._loop.call_soon_threadsafe(self._want_sizes, sizes)

    def _want_sizes(self, sizes: dict[str, tuple[int, int]]) -> None:
        if self._recording is not None:
            self._recording.want_sizes(sizes)

    def _active(self) -> None:
        if self._state.status == "starting":
            begun = self._sink.begun_at // 1000 if self._sink is not None else 0
            self._advance("active", started_at_ms=begun or state.now_ms())

    def _trouble(self, text: str) -> None:
        self._set(replace(self._state, details=text, updated_at_ms=state.now_ms()))

    def _advance(self, status: str, **changes: Any) -> None:
        self._set(self._state.advance(status, **changes))
        log.info("recording_status", status=status)

    def _end(self, status: str, **changes: Any) -> None:
        details = changes.pop("details", None) or self._final_details()
        self._advance(status, details=details, **changes)

    def _final_details(self) -> str | None:
        details = self._state.details
        return details if details and details.startswith("End reason") else _details(self._stop_reason or "")

    def _set(self, new: EgressState) -> None:
        self._state = new
        known = state.read(self._spool / "state.json")
        if known is not None and known.final and not self._written_final:
            # The control could not be reached for so long that it gave this start up: then nobody wants the file.
            self._given_up = True
            self._stop("cancelled")
            return
        try:
            state.write(self._spool / "state.json", new)
            self._written, self._written_final = True, new.final
        except OSError as error:
            self._written = False
            # With a full disk the journal still decides what the next process does.
            log.error("state_not_written", error=str(error))
        self._link.report(new)


_WORDS: Final = {"stop_requested": "StopEgress API", "room_finished": "Source closed", "meeting ended": "Source closed"}


def _with_losses(details: str | None, result: Result) -> str | None:
    """What a busy machine has cost is said beside the end reason."""
    if not result.left_out:
        return details
    return f"{details or 'Complete'}; {result.left_out} pictures were left out because the machine was busy"


def _details(reason: str) -> str | None:
    words = "Limit reached" if reason in REASONS else _WORDS.get(reason, reason)
    return f"End reason: {words}" if words else None
