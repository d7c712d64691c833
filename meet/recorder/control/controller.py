"""Recordings as the media process runs them: started, stopped, watched, remembered.

The recorder's own process writes frames and state.json. This controller owns everything around it: the spool entry, the
request to the supervisor, the link on `run/egress.sock`, the monotonic status, and one event per transition. It can be
killed at any time: the spool tells the next one all it needs, and a transition no receiver has confirmed is told again
under the same event id.
"""

from __future__ import annotations

import asyncio
import secrets
import string
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import structlog

from meet.media.twirp.egress_model import (
    Compose,
    EgressNotRunning,
    EgressRefused,
    EgressRequest,
    EgressSilent,
    EgressState,
    EgressUnavailable,
    EgressUnsupported,
)
from meet.recorder.composer.profile import EncodingUnsupported, Profile
from meet.recorder.control.admission import Admission, NoRoom
from meet.recorder.control.disk import Disk
from meet.recorder.control.entry import Entry, may_move
from meet.recorder.control.ledger import Ledger, Listener
from meet.recorder.control.link import LinkServer, RecorderLink
from meet.recorder.control.report import merge, status_of
from meet.recorder.control.retention import Retention
from meet.recorder.control.silent import SilentRecorders
from meet.recorder.control.spool import Spool
from meet.recorder.control.supervisor import SupervisorRefused, start_recorder

log = structlog.get_logger(__name__)

START_TIMEOUT_S: Final = 15.0
"""A recorder that has not said hello by then has failed; below the 20 s after which the backend gives up itself."""

PAUSE_TIMEOUT_S: Final = 3.0
"""A recorder that has not confirmed a pause by then is between two lives, or busy beyond measure."""

_HOUSEKEEPING_S: Final = 3600.0
_ALPHABET: Final = string.ascii_letters + string.digits


class EgressController:
    """Implements `EgressControl`. Add listeners, then `open()`; `close()` before the registry shuts down.

    launch: asks for a recorder process, raises SupervisorRefused; by default the supervisor's socket in `run`.
    admission: asked before every start; by default nothing is refused. compose: for requests that do not say when.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        start_timeout_s: float = START_TIMEOUT_S,
        pause_timeout_s: float = PAUSE_TIMEOUT_S,
        compose: Compose | None = None,
        launch: Callable[[str], Awaitable[None]] | None = None,
        admission: Admission | None = None,
        wall_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._spool = Spool(data_dir / "spool")
        self._links = LinkServer(data_dir / "run" / "egress.sock", self)
        supervisor = data_dir / "run" / "supervisor.sock"
        self._launch = launch or (lambda egress_id: start_recorder(supervisor, egress_id))
        self._admission = admission or Admission(data_dir / "spool")
        self._pause_timeout_s = pause_timeout_s
        self._compose = compose
        self._wall_ms = wall_ms
        self._retention = Retention(self._spool, wall_ms)
        self._disk = Disk()
        self._ledger = Ledger(self._spool, self._disk, start_timeout_s=start_timeout_s, wall_ms=wall_ms)
        self._tasks: set[asyncio.Task[None]] = set()
        self._open = False
        self.refused: Counter[str] = Counter()
        """How many starts, by `admission.REASONS`."""

    # -- life

    def add_listener(self, listener: Listener) -> None:
        """Call `listener(event)` for every transition from now on."""
        self._ledger.listeners.append(listener)

    def show_with(self, show: Callable[[str, bool], None]) -> None:
        """Call `show(room name, is being recorded)` when a room is to show that; see `rooms`."""
        self._ledger.show = show

    async def open(self) -> None:
        """Rebuild the state from the spool, tell what was not told yet, and listen for recorders. Raises OSError."""
        left_over = []
        for state, memory, recorded in await self._disk.run(self._spool.scan):
            if self._retention.left_over(state, memory):
                left_over.append(state)
                continue
            entry = Entry(state, memory, recorded=recorded)
            self._ledger.add(entry)
            if not state.final:
                self._ledger.expect(entry)
        self._open = True
        await self._links.open()
        for entry in self._ledger:
            self._ledger.announce(entry)
        self._spawn(self._keep_house(left_over))
        self._spawn(self._admission.watch())
        self._spawn(SilentRecorders(self._ledger, self._spool, self._disk, self._wall_ms).watch())

    async def close(self) -> None:
        """Let go of the recorders, which go on recording, and do nothing more."""
        self._open = False
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._links.close()
        await self._ledger.close()
        await self._disk.close()

    # -- EgressControl

    async def start(self, request: EgressRequest) -> EgressState:
        """Write the spool entry and have a recorder started.

        Raises EgressRefused, EgressUnsupported or EgressUnavailable, with nothing left behind."""
        if not self._open:
            raise EgressUnavailable("the media server is shutting down")
        try:
            Profile.of(request.encoding, request.only, request.container)
            await self._admission.check(sum(entry.state.status in ("starting", "active") for entry in self._ledger))
        except (NoRoom, EncodingUnsupported) as error:
            log.warning("egress_refused", room=request.room_name, reason=str(error))
            self.refused[error.reason if isinstance(error, NoRoom) else "encoding"] += 1
            refusal = EgressRefused if isinstance(error, NoRoom) else EgressUnsupported
            raise refusal(str(error)) from None
        now = self._wall_ms()
        egress_id = "EG_" + "".join(secrets.choice(_ALPHABET) for _ in range(12))
        key = self._ledger.free_key(request.key, egress_id)
        request = replace(request, key=key, compose=request.compose or self._compose)
        state = EgressState(egress_id, request, layout=request.layout, started_at_ms=now, updated_at_ms=now)
        entry = Entry(state, launching=True)
        self._ledger.add(entry)
        try:
            await self._disk.run(partial(self._spool.create, state, now))
            if entry.memory.stop != "cancelled":
                await self._launch(egress_id)
        except OSError as error:
            reason = error.strerror or "disk error"
            log.error("egress_start_failed", egress_id=egress_id, room=request.room_name, reason=reason)
            self.refused["disk"] += 1
            raise EgressRefused(f"the spool takes no recording: {reason}") from None
        except SupervisorRefused as error:
            log.error("egress_start_failed", egress_id=egress_id, room=request.room_name, reason=str(error))
            self.refused["recorder"] += 1
            failure = EgressRefused if error.exhausted else EgressUnavailable
            raise failure(f"the recorder could not be started: {error}") from None
        else:
            if entry.memory.stop == "cancelled":
                raise EgressUnavailable("the recording was stopped before it could start")
            entry.launching = False
        finally:
            if entry.launching:
                await self._forget(entry)
        log.info("egress_starting", egress_id=egress_id, room=request.room_name, layout=request.layout)
        if entry.link is None and not entry.state.final and not entry.met:
            self._ledger.expect(entry)
        self._ledger.announce(entry)
        return entry.state

    async def stop(self, egress_id: str) -> EgressState:
        """End an active egress, or abort a starting one; its recorder hears of it at once, the caller when it cannot be
        forgotten any more. Raises EgressUnknown or EgressNotRunning."""
        entry = self._ledger.running(egress_id)
        if entry.launching and entry.state.status == "starting":  # whoever starts it finds that; nobody was promised it
            entry.memory.stop = "cancelled"
            return replace(entry.state, status="aborted", updated_at_ms=self._wall_ms())
        if entry.memory.stop is not None and entry.state.status == "active":
            await self._ledger.settled()
            entry = self._ledger.running(egress_id)  # no more, if somebody else was faster
        starting = entry.state.status == "starting"
        await self._ledger.ask_to_stop(entry, "cancelled" if starting else "stop_requested")
        return entry.state

    async def update_layout(self, egress_id: str, layout: str) -> EgressState:
        """Have the picture arranged differently. Raises EgressUnknown or EgressNotRunning."""
        entry = self._ledger.running(egress_id)
        if layout == (entry.memory.layout or entry.state.layout):
            await self._ledger.settled()
        else:
            entry.memory.layout = layout
            entry.tell({"type": "update_layout", "layout": layout})
            await self._ledger.remember(entry, partial(self._ledger.arranged, entry, layout))
        return entry.state

    async def set_paused(self, egress_id: str, paused: bool) -> EgressState:
        """Pause, or go on; returns when the recorder has. Raises EgressUnknown, EgressNotRunning, EgressSilent.

        A recorder that is silent now is told again when it is back; of two opposite wishes the later one counts."""
        entry = self._ledger.running(egress_id)
        if entry.state.status != "active":
            raise EgressNotRunning(f"egress with status {entry.state.status} cannot be paused")
        wished = entry.state.paused if entry.memory.paused is None else entry.memory.paused
        if wished is not paused:
            entry.memory.paused = paused
            log.info("egress_pausing" if paused else "egress_resuming", egress_id=egress_id)
            entry.tell({"type": "pause" if paused else "resume"})
            entry.news.set()
            await self._ledger.remember(entry)
        elif entry.memory.paused is None:
            return entry.state
        else:
            await self._ledger.settled()
        try:
            async with asyncio.timeout(self._pause_timeout_s):
                await entry.until_paused(paused)
        except TimeoutError:
            raise EgressSilent("the recorder does not answer; it is told again as soon as it does") from None
        if entry.state.status != "active":
            raise EgressNotRunning(f"egress with status {entry.state.status} cannot be paused")
        return entry.state

    async def find(
        self, *, egress_id: str | None = None, room: str | None = None, active: bool = False
    ) -> list[EgressState]:
        """`list`, as the port has it: the control may be another process's."""
        return self.list(egress_id=egress_id, room=room, active=active)

    def list(self, *, egress_id: str | None = None, room: str | None = None, active: bool = False) -> list[EgressState]:
        """Those that match, oldest first; finished ones are known for seven days."""
        return self._ledger.states(egress_id=egress_id, room=room, active=active)

    def longest_ending_s(self) -> float:
        """How long ago the recording ended that waits longest to be stored; 0 when none does."""
        return self._ledger.longest_ending_s()

    # -- LinkOwner

    def recorder_connected(self, egress_id: str, link: RecorderLink) -> bool:
        """Take the link over; a newer connection of the same recorder replaces the older one."""
        entry = self._ledger.get(egress_id)
        if entry is None or entry.state.final or entry.given_up:
            return False
        if entry.link is not None:
            entry.link.close()
        entry.link, entry.met = link, True
        entry.cancel_due()
        log.info("recorder_connected", egress_id=egress_id)
        for wish in entry.wishes():
            link.send(wish)
        return True

    def recorder_reported(self, egress_id: str, link: RecorderLink, report: dict[str, Any]) -> None:
        """Take a status over if it leads forward."""
        entry, status = self._ledger.get(egress_id), status_of(report.get("status"))
        if entry is None or entry.link is not link or status is None or entry.state.final:
            return
        if status != entry.state.status and not may_move(entry.state.status, status):
            status = entry.state.status  # an old report after our own step, e.g. active after a stop
        merged = merge(entry.state, report, status)
        self._ledger.move(entry, replace(merged, layout=entry.memory.layout or merged.layout))

    def recorder_lost(self, egress_id: str, link: RecorderLink) -> None:
        """The recorder is between two connections, restarting, or done."""
        entry = self._ledger.get(egress_id)
        if entry is None or entry.link is not link:
            return
        entry.link = None
        if entry.discard and self._open:  # hung up by us, it is still writing
            self._ledger.discard(entry)
        elif not entry.state.final and self._open:
            log.warning("recorder_lost", egress_id=egress_id, status=entry.state.status)
            if entry.memory.stop == "cancelled":
                self._ledger.expect(entry)

    # -- rooms

    def room_started(self, room_name: str) -> None:
        """It is there, perhaps again."""
        if self._open:
            self._ledger.show_recording(room_name)

    def room_finished(self, room_name: str) -> None:
        """End its recordings. By name: after a restart of its process the same meeting goes on under a new sid."""
        for entry in self._ledger if self._open else ():
            if entry.state.request.room_name == room_name and entry.state.status in ("starting", "active"):
                self._ledger.ask_to_stop(entry, "room_finished")

    # -- housekeeping

    async def _forget(self, entry: Entry) -> None:
        """Undo a start that failed; a recorder that came nevertheless is sent away."""
        self._ledger.drop(entry)
        if entry.link is not None:
            entry.link.send({"type": "stop", "reason": "cancelled"})
        await self._disk.run(partial(self._spool.remove, entry.state.egress_id))

    async def _keep_house(self, expired: Sequence[EgressState]) -> None:
        while True:
            for state in expired:
                # On another thread than all the rest: starts need not wait until many gigabytes are removed.
                await asyncio.to_thread(self._retention.purge, state)
            await asyncio.sleep(_HOUSEKEEPING_S)
            over = [entry for entry in self._ledger if self._retention.expired(entry.state)]
            for entry in over:
                self._ledger.drop(entry)
            expired = [entry.state for entry in over]

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
