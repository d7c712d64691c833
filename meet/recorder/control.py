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
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import structlog

from meet.media.twirp.egress_model import (
    Compose,
    EgressEvent,
    EgressNotRunning,
    EgressRefused,
    EgressRequest,
    EgressSilent,
    EgressState,
    EgressStatus,
    EgressUnavailable,
    EgressUnknown,
)
from meet.recorder.control_admission import Admission, NoRoom
from meet.recorder.control_entry import Entry, may_move
from meet.recorder.control_link import LinkServer, RecorderLink
from meet.recorder.control_retention import Retention
from meet.recorder.control_spool import Spool, StopReason, merge, status_of
from meet.recorder.control_supervisor import SupervisorRefused, start_recorder

log = structlog.get_logger(__name__)

Listener = Callable[[EgressEvent], None]

START_TIMEOUT_S: Final = 15.0
"""A recorder that has not said hello by then has failed; below the 20 s after which the backend gives up itself."""

PAUSE_TIMEOUT_S: Final = 3.0
"""A recorder that has not confirmed a pause by then is between two lives, or busy beyond measure."""

_HOUSEKEEPING_S: Final = 3600.0
_DISCARD_AFTER_S: Final = 5.0
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
        self._start_timeout_s = start_timeout_s
        self._pause_timeout_s = pause_timeout_s
        self._compose = compose
        self._wall_ms = wall_ms
        self._retention = Retention(self._spool, wall_ms)
        self._entries: dict[str, Entry] = {}
        self._listeners: list[Listener] = []
        self._show: Callable[[str, bool], None] = lambda room_name, recorded: None
        self._tasks: set[asyncio.Task[None]] = set()
        self._open = False

    # -- life

    def add_listener(self, listener: Listener) -> None:
        """Call `listener(event)` for every transition from now on."""
        self._listeners.append(listener)

    def show_with(self, show: Callable[[str, bool], None]) -> None:
        """Call `show(room name, is being recorded)` when a room is to show that; see control_rooms."""
        self._show = show

    async def open(self) -> None:
        """Rebuild the state from the spool, tell what was not told yet, and listen for recorders. Raises OSError."""
        self._open = True
        for state, memory in self._spool.scan():
            if not self._retention.purge(state, memory):
                entry = Entry(state, memory)
                self._entries[state.egress_id] = entry
                if not state.final:
                    entry.due = self._later(self._start_timeout_s, self._never_came, entry)
        await self._links.open()
        for entry in list(self._entries.values()):
            self._announce(entry)
        self._spawn(self._keep_house())
        self._spawn(self._admission.watch())

    async def close(self) -> None:
        """Let go of the recorders, which go on recording, and do nothing more."""
        self._open = False
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for entry in self._entries.values():
            entry.cancel_due()
        await self._links.close()

    # -- EgressControl

    async def start(self, request: EgressRequest) -> EgressState:
        """Write the spool entry and have a recorder started.

        Raises EgressRefused or EgressUnavailable, with nothing left behind."""
        if not self._open:
            raise EgressUnavailable("the media server is shutting down")
        try:
            await self._admission.check()
        except NoRoom as error:
            log.warning("egress_refused", room=request.room_name, reason=str(error))
            raise EgressRefused(str(error)) from None
        now = self._wall_ms()
        request = replace(request, compose=request.compose or self._compose)
        egress_id = "EG_" + "".join(secrets.choice(_ALPHABET) for _ in range(12))
        state = EgressState(egress_id, request, layout=request.layout, started_at_ms=now, updated_at_ms=now)
        entry = Entry(state, launching=True)
        self._entries[egress_id] = entry
        try:
            await asyncio.to_thread(self._spool.create, state, now)
            await self._launch(egress_id)
        except (OSError, SupervisorRefused) as error:
            reason = error.strerror or "disk error" if isinstance(error, OSError) else str(error)
            log.error("egress_start_failed", egress_id=egress_id, room=request.room_name, reason=reason)
            raise EgressUnavailable(f"the recorder could not be started: {reason}") from None
        else:
            entry.launching = False
        finally:
            if entry.launching:
                await self._forget(entry)
        log.info("egress_starting", egress_id=egress_id, room=request.room_name, layout=request.layout)
        if entry.link is None and not entry.state.final and not entry.met:
            entry.due = self._later(self._start_timeout_s, self._never_came, entry)
        self._announce(entry)
        return entry.state

    async def stop(self, egress_id: str) -> EgressState:
        """End an active egress, or abort a starting one. Raises EgressUnknown or EgressNotRunning."""
        entry = self._running(egress_id)
        starting = entry.state.status == "starting"
        self._ask_to_stop(entry, "cancelled" if starting else "stop_requested")
        return entry.state

    async def update_layout(self, egress_id: str, layout: str) -> EgressState:
        """Have the picture arranged differently. Raises EgressUnknown or EgressNotRunning."""
        entry = self._running(egress_id)
        if layout != entry.state.layout:
            entry.memory.layout = layout
            entry.state = replace(entry.state, layout=layout, updated_at_ms=self._wall_ms())
            self._remember(entry)
            entry.tell({"type": "update_layout", "layout": layout})
            self._emit(EgressEvent("egress_updated", entry.state, f"EV_{secrets.token_hex(6)}", lambda: None))
        return entry.state

    async def set_paused(self, egress_id: str, paused: bool) -> EgressState:
        """Pause, or go on; returns when the recorder has. Raises EgressUnknown, EgressNotRunning, EgressSilent.

        A recorder that is silent now is told again when it is back; of two opposite wishes the later one counts."""
        entry = self._running(egress_id)
        if entry.state.status != "active":
            raise EgressNotRunning(f"egress with status {entry.state.status} cannot be paused")
        wished = entry.state.paused if entry.memory.paused is None else entry.memory.paused
        if wished is not paused:
            entry.memory.paused = paused
            self._remember(entry)
            log.info("egress_pausing" if paused else "egress_resuming", egress_id=egress_id)
            entry.tell({"type": "pause" if paused else "resume"})
            entry.news.set()
        elif entry.memory.paused is None:
            return entry.state
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
        return [
            entry.state
            for entry in self._entries.values()
            if (egress_id is None or entry.state.egress_id == egress_id)
            and (room is None or entry.state.request.room_name == room)
            and not (active and entry.state.final)
        ]

    # -- LinkOwner

    def recorder_connected(self, egress_id: str, link: RecorderLink) -> bool:
        """Take the link over; a newer connection of the same recorder replaces the older one."""
        entry = self._entries.get(egress_id)
        if entry is None or entry.state.final:
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
        entry, status = self._entries.get(egress_id), status_of(report.get("status"))
        if entry is None or entry.link is not link or status is None or entry.state.final:
            return
        if status != entry.state.status and not may_move(entry.state.status, status):
            status = entry.state.status  # an old report after our own step, e.g. active after a stop
        merged = merge(entry.state, report, status)
        self._move(entry, replace(merged, layout=entry.memory.layout or merged.layout))

    def recorder_lost(self, egress_id: str, link: RecorderLink) -> None:
        """The recorder is between two connections, restarting, or done."""
        entry = self._entries.get(egress_id)
        if entry is None or entry.link is not link:
            return
        entry.link = None
        if entry.discard:
            self._discard(entry)
        elif not entry.state.final and self._open:
            log.warning("recorder_lost", egress_id=egress_id, status=entry.state.status)
            if entry.memory.stop == "cancelled":
                entry.due = self._later(self._start_timeout_s, self._never_came, entry)

    # -- transitions

    def _running(self, egress_id: str) -> Entry:
        entry = self._entries.get(egress_id)
        if entry is None:
            raise EgressUnknown(f"egress {egress_id} does not exist")
        if entry.state.status not in ("starting", "active"):
            raise EgressNotRunning(f"egress with status {entry.state.status} cannot be stopped or changed")
        return entry

    def _ask_to_stop(self, entry: Entry, reason: StopReason) -> None:
        """Pass the wish on, now or when the recorder connects; it survives a restart of this process."""
        if entry.memory.stop in (reason, "cancelled"):
            return
        entry.memory.stop = reason
        self._remember(entry)
        log.info("egress_stopping", egress_id=entry.state.egress_id, reason=reason)
        if entry.link is not None:
            entry.link.send({"type": "stop", "reason": reason})
        elif entry.state.status == "starting" and entry.due is None:
            entry.due = self._later(self._start_timeout_s, self._never_came, entry)
        if entry.state.status == "active":
            why = "Source closed" if reason == "room_finished" else "StopEgress API"
            now = self._wall_ms()
            ending = replace(entry.state, status="ending", updated_at_ms=now, details=f"End reason: {why}")
            self._move(entry, ending)

    def _never_came(self, entry: Entry) -> None:
        """No recorder showed up in time. One that was active may still be restarted, so only a start is given up."""
        entry.due = None
        if entry.state.final or entry.link is not None or entry.state.status != "starting":
            return
        written = self._spool.load(entry.state.egress_id)
        if written is not None and written[0].status != "starting":
            # It works, only without a way to us: then the socket is what failed, not the recording.
            self._move(entry, written[0])
            return
        now = self._wall_ms()
        if entry.memory.stop is not None:
            final = replace(entry.state, status="aborted", details="Stopped before the recording could start")
        else:
            final = replace(entry.state, status="failed", error="the recorder did not start in time", error_code=504)
        final = replace(final, updated_at_ms=now, ended_at_ms=now)
        try:
            self._spool.write_state(final)
        except OSError as error:
            log.error("egress_state_not_written", egress_id=final.egress_id, error=error.strerror)
        self._move(entry, final)

    def _move(self, entry: Entry, state: EgressState) -> None:
        """Take over the new state; a change of status is announced, and why an ending takes its time is told."""
        changed = state.status != entry.state.status
        waiting = state.status == "ending" and state.details != entry.state.details
        entry.state = state
        entry.news.set()
        if not changed:
            if waiting:
                self._emit(EgressEvent("egress_updated", state, f"EV_{secrets.token_hex(6)}", lambda: None))
            return
        log.info("egress_status", egress_id=state.egress_id, status=state.status, error=state.error)
        if state.final:
            entry.cancel_due()
            if entry.memory.stop == "cancelled" and state.status == "aborted":
                entry.discard = True
                # At once, unless the recorder is still there: then when it goes, at the latest in a few seconds.
                self._later(0 if entry.link is None else _DISCARD_AFTER_S, self._discard, entry)
        self._announce(entry)

    # -- events

    def _announce(self, entry: Entry) -> None:
        """Tell every transition since the last one told."""
        self._show_recording(entry.state.request.room_name)
        if entry.launching:
            return
        for event in entry.untold(self._confirmed):
            self._emit(event)

    def _confirmed(self, entry: Entry, status: EgressStatus) -> None:
        entry.memory.announced = status
        self._remember(entry)

    def _emit(self, event: EgressEvent) -> None:
        for listener in self._listeners:
            try:
                listener(event)
            except Exception:
                log.exception("egress_listener_failed", event_name=event.name)

    # -- rooms

    def room_started(self, room_name: str) -> None:
        """It is there, perhaps again."""
        if self._open:
            self._show_recording(room_name)

    def room_finished(self, room_name: str) -> None:
        """End its recordings. By name: after a restart of its process the same meeting goes on under a new sid."""
        for entry in list(self._entries.values()) if self._open else []:
            if entry.state.request.room_name == room_name and entry.state.status in ("starting", "active"):
                self._ask_to_stop(entry, "room_finished")

    def _show_recording(self, room_name: str) -> None:
        states = self.list(room=room_name, active=True)
        self._show(room_name, any(s.status in ("active", "ending") for s in states))

    # -- housekeeping

    def _remember(self, entry: Entry) -> None:
        try:
            self._spool.remember(entry.state, entry.memory)
        except OSError as error:
            log.error("egress_memory_not_written", egress_id=entry.state.egress_id, error=error.strerror)

    async def _forget(self, entry: Entry) -> None:
        """Undo a start that failed; a recorder that came nevertheless is sent away."""
        self._entries.pop(entry.state.egress_id, None)
        if entry.link is not None:
            entry.link.send({"type": "stop", "reason": "cancelled"})
        await asyncio.to_thread(self._spool.remove, entry.state.egress_id)

    def _discard(self, entry: Entry) -> None:
        """Remove the files of a cancelled start; that it was aborted is remembered."""
        if self._open:
            self._spawn(asyncio.to_thread(self._spool.remove, entry.state.egress_id))

    async def _keep_house(self) -> None:
        while True:
            await asyncio.sleep(_HOUSEKEEPING_S)
            for entry in [e for e in self._entries.values() if self._retention.expired(e.state)]:
                del self._entries[entry.state.egress_id]
                await asyncio.to_thread(self._retention.purge, entry.state, entry.memory)

    def _later(self, delay_s: float, function: Callable[..., object], *args: object) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(delay_s, function, *args)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
