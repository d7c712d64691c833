"""Where this process's recording stands: every step is written durably, then told to the control."""

from __future__ import annotations

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


def end_reason(reason: str) -> str | None:
    """What `details` say of a stop reason, in LiveKit's words where it has some."""
    words = "Limit reached" if reason in REASONS else _WORDS.get(reason, reason)
    return f"End reason: {words}" if words else None


class Standing:
    """`now` is the state; `written` whether a later process can read that it is.

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

    def update(self, **changes: Any) -> None:
        """Other facts, same status."""
        self.put(replace(self.now, updated_at_ms=state.now_ms(), **changes))

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
        """Write and tell; a disk that is full only delays the writing."""
        self.now = new
        known = state.read(self._path)
        if known is not None and known.final and not self._written_final:
            # The control could not be reached for so long that it gave this start up: then nobody wants the file.
            self.given_up = True
            self._on_given_up()
            return
        try:
            state.write(self._path, new)
            self.written, self._written_final = True, new.final
        except OSError as error:
            self.written = False
            # With a full disk the journal still decides what the next process does.
            log.error("state_not_written", error=str(error))
        self._report(new)
