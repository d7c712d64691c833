"""One egress in the controller's memory, and which way its status may go."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from meet.media.twirp.egress_model import FINAL, EgressEvent, EgressEventName, EgressState, EgressStatus
from meet.recorder.control.link import RecorderLink
from meet.recorder.control.spool import Memory
from meet.recorder.state import ORDER


def rank(status: EgressStatus | None) -> int:
    """Place on the way from starting (0) to a final status (3); -1 before the beginning."""
    return -1 if status is None else ORDER[status]


def may_move(old: EgressStatus, new: EgressStatus) -> bool:
    """Only forward, and never out of a final status."""
    return old not in FINAL and rank(new) > rank(old)


@dataclass(eq=False)
class Entry:
    """State, persistent memory, and what lives only while this process does.

    launching: the start has not been answered yet, so nothing is told; met: its recorder has said hello; discard: the
    files go as soon as the recorder is gone; given_up: a recorder that comes now is too late; recorded: an earlier life
    of ours left a journal, which some recorder will finish however late it comes; due: the timer that gives a start up;
    told: last status handed out; news: set whenever state or memory may have changed.
    """

    state: EgressState
    memory: Memory = field(default_factory=Memory)
    launching: bool = False
    met: bool = False
    discard: bool = False
    given_up: bool = False
    recorded: bool = False
    link: RecorderLink | None = None
    due: asyncio.TimerHandle | None = None
    told: EgressStatus | None = None
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.told = self.memory.announced

    def tell(self, message: dict[str, Any]) -> None:
        """Say it if somebody is there; `wishes` says it again to who comes later."""
        if self.link is not None:
            self.link.send(message)

    def wishes(self) -> Iterator[dict[str, Any]]:
        """What a recorder that connects has to be told; each may have been said before."""
        if self.memory.stop is not None:
            yield {"type": "stop", "reason": self.memory.stop}
        if self.memory.layout is not None:
            yield {"type": "update_layout", "layout": self.memory.layout}
        if self.memory.paused is not None:
            yield {"type": "pause" if self.memory.paused else "resume"}

    async def until_paused(self, paused: bool) -> bool:
        """Wait for the recorder to say so. False when it ended, or something else was wished for, before."""
        while self.state.status == "active" and self.memory.paused is paused:
            if self.state.paused is paused:
                return True
            self.news.clear()
            await self.news.wait()
        return False

    def cancel_due(self) -> None:
        """Stop the timer, if there is one."""
        if self.due is not None:
            self.due.cancel()
            self.due = None

    def untold(self, confirmed: Callable[[Entry, EgressStatus], None]) -> Iterator[EgressEvent]:
        """The events that lead from the last status told to the present one, each once."""
        steps: list[EgressStatus] = []
        if self.told is None and self.state.status != "starting":
            steps.append("starting")
        if rank(self.state.status) > rank(self.told):
            steps.append(self.state.status)
        for status in steps:
            self.told = status
            yield self._event(status, confirmed)

    def _event(self, status: EgressStatus, confirmed: Callable[[Entry, EgressStatus], None]) -> EgressEvent:
        name: EgressEventName = "egress_updated"
        if status == "starting":
            name = "egress_started"
        elif status in FINAL:
            name = "egress_ended"
        state = self.state
        if status != state.status:  # the start, told late: as it looked then
            state = EgressState(
                state.egress_id,
                state.request,
                layout=state.request.layout,
                started_at_ms=state.started_at_ms,
                updated_at_ms=state.started_at_ms,
            )
        # Derived, not random: told again after a crash, it is recognisably the same event.
        event_id = f"EV_{self.state.egress_id.removeprefix('EG_')}_{status}"
        return EgressEvent(name, state, event_id, lambda: self._confirm(status, confirmed))

    def _confirm(self, status: EgressStatus, confirmed: Callable[[Entry, EgressStatus], None]) -> None:
        if rank(status) > rank(self.memory.announced):
            confirmed(self, status)
