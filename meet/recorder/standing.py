"""Where this process's recording stands: every step is written durably, then told to the control."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import structlog

from meet.recorder import state
from meet.recorder.limits import REASONS
from meet.recorder.state import EgressState

log = structlog.get_logger(__name__)

_WORDS: Final = {"stop_requested": "StopEgress API", "room_finished": "Source closed", "meeting ended": "Source closed"}

_RETRY_S: Final = 2.0


def end_reason(reason: str) -> str | None:
    """What `details` say of a stop reason, in LiveKit's words where it has some."""
    words = "Limit reached" if reason in REASONS else _WORDS.get(reason, reason)
    return f"End reason: {words}" if words else None


class Standing:
    """`now` is the state; `written` whether a later process can read that it is.

    A thread writes, one state after the other, and the latest is told when it is on the disk: a disk that stalls keeps
    nobody from receiving media. States that were overtaken meanwhile are left out.
    report: tells the control. on_given_up: the control had ended this recording meanwhile; called once.
    """

    def __init__(
        self,
        path: Path,
        now: EgressState,
        report: Callable[[EgressState], None],
        on_given_up: Callable[[], None],
    ) -> None:
        self._path, self._report, self._on_given_up = path, report, on_given_up
        self.now = now
        self.written = self.given_up = False
        self._written_final = False
        self._writing: asyncio.Task[None] | None = None
        self._remarks: dict[str, str] = {}

    def update(self, **changes: Any) -> None:
        """Other facts, same status."""
        self.put(replace(self.now, updated_at_ms=state.now_ms(), **changes))

    def remark(self, subject: str, text: str | None) -> None:
        """What the details of an active recording say of one subject; None: nothing any more.

        What an earlier process had to say is forgotten with the first one."""
        if text is None:
            self._remarks.pop(subject, None)
        else:
            self._remarks[subject] = text
        details = "; ".join(self._remarks.values()) or None
        # Afterwards they have the end reason, or why there is no file yet.
        if self.now.status == "active" and details != self.now.details:
            self.update(details=details)

    def advance(self, status: str, **changes: Any) -> None:
        """The next status. Raises IllegalTransition."""
        self.put(self.now.advance(status, **changes))
        log.info("recording_status", status=status)

    def end(self, status: str, *, stop_reason: str = "", details: str | None = None, **changes: Any) -> None:
        """The last status. details default to the end reason. Raises IllegalTransition."""
        self.advance(status, details=details or self.final_details(stop_reason), paused=False, **changes)

    def final_details(self, stop_reason: str = "") -> str | None:
        """The end reason that is there already, or that of `stop_reason`."""
        details = self.now.details
        return details if details and details.startswith("End reason") else end_reason(stop_reason)

    def put(self, new: EgressState) -> None:
        """Have it written and told; a disk that is full only delays the writing."""
        self.now, self.written = new, False
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write())

    async def flushed(self) -> None:
        """The disk has taken the latest state, or has refused it."""
        if self._writing is not None:
            await self._writing

    async def settled(self) -> None:
        """A later process can read the latest state, however long that takes; or nobody wants to."""
        while True:
            await self.flushed()
            if self.written or self.given_up:
                return
            await asyncio.sleep(_RETRY_S)
            self.put(self.now)

    async def _write(self) -> None:
        tried: EgressState | None = None
        while self.now is not tried and not self.given_up:
            tried = self.now
            written = await asyncio.to_thread(self._store, tried)
            if written is None:
                self.given_up = True
                self._on_given_up()
                return
            self.written = written and self.now is tried
            if self.now is tried:
                self._report(tried)

    def _store(self, new: EgressState) -> bool | None:
        """On a thread. Whether it is on the disk; None when the control has given the recording up."""
        known = state.read(self._path)
        if known is not None and known.final and not self._written_final:
            # The control could not be reached for so long that it gave this start up: then nobody wants the file.
            return None
        try:
            state.write(self._path, new)
        except OSError as error:
            # With a full disk the journal still decides what the next process does.
            log.error("state_not_written", error=str(error))
            return False
        self._written_final = new.final
        return True
