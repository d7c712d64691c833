"""Every egress the control knows, and the steps it takes: forward only, written down, shown in its room, told once."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import replace
from functools import partial
from typing import Any, Final

import structlog

from meet.media.twirp.egress_model import EgressEvent, EgressNotRunning, EgressState, EgressStatus, EgressUnknown
from meet.recorder.control.disk import Disk
from meet.recorder.control.entry import Entry
from meet.recorder.control.spool import Spool, StopReason

log = structlog.get_logger(__name__)

Listener = Callable[[EgressEvent], None]

_DISCARD_AFTER_S: Final = 5.0


class Ledger:
    """start_timeout_s: how long the recorder of an egress may take to come. wall_ms: unix time in ms.

    listeners: called with every event. show: called with a room's name and whether it is being recorded.

    A recorder hears of a wish at once; states and events show it when a successor of this process would know of it."""

    def __init__(self, spool: Spool, disk: Disk, *, start_timeout_s: float, wall_ms: Callable[[], int]) -> None:
        self._spool, self._disk = spool, disk
        self._start_timeout_s = start_timeout_s
        self._wall_ms = wall_ms
        self._entries: dict[str, Entry] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False
        self.listeners: list[Listener] = []
        self.show: Callable[[str, bool], None] = lambda room_name, recorded: None

    async def close(self) -> None:
        """Nothing happens by itself any more; what was begun is finished."""
        self._closed = True
        for entry in self._entries.values():
            entry.cancel_due()
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    # -- which there are

    def __iter__(self) -> Iterator[Entry]:
        """As they are now: meanwhile they may come and go."""
        return iter(tuple(self._entries.values()))

    def add(self, entry: Entry) -> None:
        """From now on it is known."""
        self._entries[entry.state.egress_id] = entry

    def drop(self, entry: Entry) -> None:
        """Forget it; its files are another matter."""
        self._entries.pop(entry.state.egress_id, None)
        entry.cancel_due()
        self.show_recording(entry.state.request.room_name)

    def get(self, egress_id: str) -> Entry | None:
        """None for one that is not known."""
        return self._entries.get(egress_id)

    def running(self, egress_id: str) -> Entry:
        """The one that can still be stopped or changed. Raises EgressUnknown or EgressNotRunning."""
        entry = self.get(egress_id)
        if entry is None:
            raise EgressUnknown(f"egress {egress_id} does not exist")
        if entry.state.status not in ("starting", "active"):
            raise EgressNotRunning(f"egress with status {entry.state.status} cannot be stopped or changed")
        return entry

    def states(
        self, *, egress_id: str | None = None, room: str | None = None, active: bool = False
    ) -> list[EgressState]:
        """Those that match, oldest first; `active` leaves out those that are over."""
        return [
            entry.state
            for entry in self
            if (egress_id is None or entry.state.egress_id == egress_id)
            and (room is None or entry.state.request.room_name == room)
            and not (active and entry.state.final)
        ]

    def free_key(self, key: str, egress_id: str) -> str:
        """`key`, or one with the egress's id where another one known here records to it, or has: nothing is written
        over. LiveKit's default names are the same for two that begin in one second."""
        if all(entry.state.request.key != key or entry.state.status == "aborted" for entry in self):
            return key
        stem, dot, ending = key.rpartition(".")
        return f"{stem}-{egress_id}{dot}{ending}"

    def longest_ending_s(self) -> float:
        """Since when the first of those has been `ending` that still are; 0 when there is none."""
        now = self._wall_ms()
        since = [entry.memory.ending_ms or now for entry in self if entry.state.status == "ending"]
        return max(0, now - min(since, default=now)) / 1000

    # -- steps

    def expect(self, entry: Entry) -> None:
        """Its recorder is to come now; a start without one is given up."""
        entry.cancel_due()
        entry.due = self._later(self._start_timeout_s, self._never_came, entry)

    def ask_to_stop(self, entry: Entry, reason: StopReason) -> asyncio.Future[None]:
        """Pass the wish on, now or when the recorder connects. Done when it survives a restart of this process."""
        if entry.memory.stop in (reason, "cancelled"):
            return self.settled()
        entry.memory.stop = reason
        log.info("egress_stopping", egress_id=entry.state.egress_id, reason=reason)
        if entry.link is not None:
            entry.link.send({"type": "stop", "reason": reason})
        elif entry.state.status == "starting" and entry.due is None:
            self.expect(entry)
        return self.remember(entry, partial(self._ending, entry, reason))

    def _ending(self, entry: Entry, reason: StopReason) -> None:
        if entry.state.status == "active":
            why = "Source closed" if reason == "room_finished" else "StopEgress API"
            now = self._wall_ms()
            ending = replace(entry.state, status="ending", updated_at_ms=now, details=f"End reason: {why}")
            self.move(entry, ending)

    def arranged(self, entry: Entry, layout: str) -> None:
        """The picture is to look like that from now on."""
        if not entry.state.final:
            entry.state = replace(entry.state, layout=layout, updated_at_ms=self._wall_ms())
            self.tell_change(entry)

    def move(self, entry: Entry, state: EgressState) -> None:
        """Take over the new state; a change of status is announced, and why something cannot be stored yet is told."""
        changed = state.status != entry.state.status
        explained = state.status in ("active", "ending") and state.details != entry.state.details
        entry.state = state
        entry.news.set()
        if not changed:
            if explained:
                self.tell_change(entry)
            return
        if state.status == "ending":
            entry.memory.ending_ms = self._wall_ms()
        log.info("egress_status", egress_id=state.egress_id, status=state.status, error=state.error)
        if state.final:
            entry.cancel_due()
            if entry.memory.stop == "cancelled" and state.status == "aborted":
                entry.discard = True
                # At once, unless the recorder is still there: then when it goes, at the latest in a few seconds.
                self._later(0 if entry.link is None else _DISCARD_AFTER_S, self.discard, entry)
        self.announce(entry)

    def _never_came(self, entry: Entry) -> None:
        """No recorder showed up in time."""
        entry.due = None
        if not self._closed:
            self._spawn(self._give_up(entry))

    async def _give_up(self, entry: Entry) -> None:
        """One that was active may still be restarted, so only a start is given up."""
        written = await self._disk.run(partial(self._spool.peek, entry.state.egress_id))
        if entry.state.final or entry.link is not None or entry.state.status != "starting":
            return
        if entry.recorded and entry.memory.stop != "cancelled":
            return
        if written is not None and written[0].status != "starting":
            # It works, only without a way to us: then the socket is what failed, not the recording.
            self.move(entry, written[0])
            return
        now = self._wall_ms()
        if entry.memory.stop is not None:
            final = replace(entry.state, status="aborted", details="Stopped before the recording could start")
        else:
            final = replace(entry.state, status="failed", error="the recorder did not start in time", error_code=504)
        final = replace(final, updated_at_ms=now, ended_at_ms=now)
        entry.given_up = True
        try:
            await self._disk.run(partial(self._spool.write_state, final))
        except OSError as error:
            log.error("egress_state_not_written", egress_id=final.egress_id, error=error.strerror)
        self.move(entry, final)

    def discard(self, entry: Entry) -> None:
        """Remove the files of a cancelled start; that it was aborted is remembered."""
        if not self._closed:
            self._disk.run(partial(self._spool.remove, entry.state.egress_id))

    def remember(self, entry: Entry, then: Callable[[], None] = lambda: None) -> asyncio.Future[None]:
        """Write its memory down, then do `then`, whoever waits for it; a disk that refuses is only logged."""
        state = entry.state
        writing = self._disk.run(partial(self._spool.remember, state, replace(entry.memory)))

        async def work() -> None:
            try:
                await writing
            except OSError as error:
                log.error("egress_memory_not_written", egress_id=state.egress_id, error=error.strerror)
            then()

        return asyncio.shield(self._spawn(work()))

    def settled(self) -> asyncio.Future[None]:
        """Done when all that was remembered before is on the disk."""
        return self._disk.run(lambda: None)

    # -- telling

    def announce(self, entry: Entry) -> None:
        """Tell every transition since the last one told."""
        self.show_recording(entry.state.request.room_name)
        if entry.launching:
            return
        for event in entry.untold(self._confirmed):
            self._emit(event)

    def tell_change(self, entry: Entry) -> None:
        """Tell something else than a transition, once."""
        self._emit(EgressEvent("egress_updated", entry.state, f"EV_{secrets.token_hex(6)}", lambda: None))

    def show_recording(self, room_name: str) -> None:
        """Let the room show whether it is being recorded."""
        states = self.states(room=room_name, active=True)
        self.show(room_name, any(state.status in ("active", "ending") for state in states))

    def _confirmed(self, entry: Entry, status: EgressStatus) -> None:
        entry.memory.announced = status
        self.remember(entry)

    def _emit(self, event: EgressEvent) -> None:
        for listener in self.listeners:
            try:
                listener(event)
            except Exception:
                log.exception("egress_listener_failed", event_name=event.name)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    @staticmethod
    def _later(delay_s: float, function: Callable[[Entry], None], entry: Entry) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(delay_s, function, entry)
