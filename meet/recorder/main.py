"""One recording, from its spool entry to its final state; started again after a crash it goes on where it was."""

from __future__ import annotations

import asyncio
import json
import signal
import threading
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
from meet.recorder.journal import records
from meet.recorder.journal.reader import JournalReader
from meet.recorder.journal.writer import JournalWriter
from meet.recorder.link import ControlLink
from meet.recorder.state import EgressState
from meet.recorder.subscriber import recording as subscriber
from meet.recorder.subscriber.signalling import Signalling, mint_token
from meet.tls import trust_own

log = structlog.get_logger(__name__)

PATIENCE_S: Final = 8.0
"""How long a first join may take; the backend gives up a start after 20 s."""
REJOIN_PATIENCE_S: Final = 15.0
"""How long a room may be away, while the media server restarts, before its meeting counts as over."""
TILE: Final = (640, 360)
_LINGER_S: Final = 3.0
_COMPOSE_RETRY_S: Final = 2.0
_MAX_COMPOSE_RETRY_S: Final = 60.0


def run(settings: Settings, egress_id: str) -> int:
    """Record or finish `egress_id`; 0 when nothing is left to do, anything else to be started again."""
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
        return 0
    return asyncio.run(Recorder(settings, spool, current).run())


def _recording_id(request: dict[str, Any]) -> str:
    """`<roomId>--<egressId>--<uid>` for a key that ends in `<roomId>--<uid>.mp4`, else the egress id."""
    room, _, uid = Path(str(request.get("key"))).stem.rpartition("--")
    return f"{room}--{request['egress_id']}--{uid}" if room == request.get("room_name") else str(request["egress_id"])


class _Past:
    """What an earlier process left in the journal."""

    def __init__(self, directory: Path) -> None:
        self.begun = False
        self.next_track = 1
        self.last_at = self.begin_at = 0
        self.stopped = False
        reader = JournalReader(directory)
        reader.finish()
        for record in reader:
            if not isinstance(record, records.Session):  # a process that came, not anything of the meeting
                self.last_at = max(self.last_at, record.at)
            if isinstance(record, records.Begin) and not self.begun:
                self.begun, self.begin_at = True, record.at
            elif isinstance(record, records.Track):
                self.next_track = max(self.next_track, record.track + 1)
            elif isinstance(record, records.Stop):
                self.stopped = True


class Recorder:
    """The life of one recording in this process."""

    def __init__(self, settings: Settings, spool: Path, current: EgressState) -> None:
        self._settings = settings
        self._spool = spool
        self._state = current
        self._composing = ThreadPoolExecutor(1, thread_name_prefix="composer")
        self._abort = threading.Event()
        self._journal_error: OSError | None = None
        self._ended_at_ms: int | None = None

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
        past = _Past(self._spool / "journal")
        if past.stopped or self._state.status == "ending":
            return await self._finish_from_journal(profile, past)
        reader = JournalReader(self._spool / "journal")
        writer = JournalWriter(self._spool / "journal", reader.wake, self._journal_failed)
        clock = subscriber.SteadyClock()
        self._sink = subscriber.JournalSink(
            writer, clock, self._state.egress_id, next_track=past.next_track, begun_at=past.begin_at
        )
        self._recording = subscriber.RoomRecording(
            self._connect,
            self._sink,
            clock,
            tile=TILE,
            patience_s=PATIENCE_S,
            rejoin_patience_s=REJOIN_PATIENCE_S,
        )
        if self._stop_reason is not None:
            self._recording.stop(self._stop_reason)
        composed = self._loop.run_in_executor(self._composing, self._compose, reader, profile)
        result = await self._recording.run(ever_joined=past.begun, lost_at=past.last_at)
        log.info("recording_over", reason=result.reason, joined=result.ever_joined)
        begun = past.begun or self._state.status != "starting"
        if not begun and (self._cancelled or not result.ever_joined):
            return await self._give_up(writer, reader, composed, result)
        if not past.begun:
            self._sink.begin()
        self._ended_at_ms = result.at // 1000
        self._sink.stop(result.at, result.reason, limit=self._journal_error is not None)
        if self._state.status == "active":
            self._advance("ending", details=_details(result.reason))
        await asyncio.to_thread(writer.close)
        reader.finish()
        return await self._finish(composed, profile)

    async def _give_up(
        self,
        writer: JournalWriter,
        reader: JournalReader,
        composed: asyncio.Future[Result],
        result: subscriber.Result,
    ) -> int:
        """Nothing was recorded and nothing is left behind."""
        self._abort.set()
        await asyncio.to_thread(writer.close)
        reader.finish()
        await asyncio.gather(composed, return_exceptions=True)
        finish.discard(self._spool)
        if self._cancelled:
            self._end("aborted", details="Stopped before the recording could start")
        else:
            self._end("failed", error=f"the recorder could not join: {result.reason}", error_code=503)
        return 0

    async def _finish_from_journal(self, profile: Profile, past: _Past) -> int:
        if not past.begun:
            finish.discard(self._spool)
            self._end("failed", error="the recording ended before anything was received", error_code=500)
            return 0
        self._ended_at_ms = past.last_at // 1000
        if self._state.status != "ending":
            self._advance("ending", details="End reason: finished after a restart")
        return await self._finish(self._compose_again(profile), profile)

    def _compose_again(self, profile: Profile) -> asyncio.Future[Result]:
        reader = JournalReader(self._spool / "journal")
        reader.finish()
        return self._loop.run_in_executor(self._composing, self._compose, reader, profile)

    def _compose(self, reader: JournalReader, profile: Profile) -> Result:
        return compose(
            reader,
            self._spool / "composite.mp4",
            profile,
            self._state.layout,
            on_ready=self._first_frame,
            on_tiles=self._tiles_changed,
            abort=self._abort,
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
        blobs = storage.create(self._settings)
        try:
            await finish.store(blobs, self._state.key, path, facts.size, self._trouble)
        finally:
            await blobs.close()
        limit = result.limit or self._journal_error is not None
        status = "limit_reached" if limit else "complete"
        reason = "the disk was full; everything up to that point is in the file" if limit else None
        self._end(
            status,
            size=facts.size,
            duration_s=round(facts.duration_s, 3),
            error=reason,
            ended_at_ms=self._ended_at_ms,
        )
        await asyncio.to_thread(finish.discard, self._spool)
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
        return Signalling(settings.livekit_url_private, token, tls=trust_own(own) if own else True)

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

    def _journal_failed(self, error: OSError) -> None:
        self._journal_error = error
        log.error("journal_write_failed", error=str(error))
        self._loop.call_soon_threadsafe(self._stop, "the disk is full")

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
        try:
            state.write(self._spool / "state.json", new)
        except OSError as error:
            # With a full disk the journal still decides what the next process does.
            log.error("state_not_written", error=str(error))
        self._link.report(new)


_WORDS: Final = {"stop_requested": "StopEgress API", "room_finished": "Source closed", "meeting ended": "Source closed"}


def _details(reason: str) -> str | None:
    return f"End reason: {_WORDS.get(reason, reason)}" if reason else None
