"""Keeping up with a meeting on a busy machine: fewer pictures first, then a cheaper encoder. Sound is never touched."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

import structlog

log = structlog.get_logger(__name__)


class Rung(NamedTuple):
    """How much picture is made: every `step`-th tick, at an encoder speed."""

    step: int
    speed: int


LADDER: Final = (Rung(1, 0), Rung(2, 0), Rung(2, 1), Rung(3, 2))

_LOOK_US: Final = 1_000_000
_BEHIND_US: Final = 1_500_000
_IN_TIME_US: Final = 500_000
_CATCHING_UP: Final = 1.2
"""Who composes so much faster than real time (after a restart, from the beginning) is behind, but not for long."""
_PATIENCE_US: Final = 10_000_000
_MAX_PATIENCE_US: Final = 160_000_000


class Overload:
    """Where on the ladder a live composition stands. `now`: the journal's clock, µs."""

    def __init__(
        self, now: Callable[[], int], level: int = 0, on_busy: Callable[[bool], None] = lambda busy: None
    ) -> None:
        """level: where an earlier process left the ladder. on_busy: told when less is made, and when all is again."""
        self._now, self._on_busy = now, on_busy
        if level:
            on_busy(True)
        self._level = level
        self._looked: tuple[int, int] | None = None
        self._in_time_since: int | None = None
        self._patience = _PATIENCE_US
        self._attempted = False

    @property
    def rung(self) -> Rung:
        """How much picture to make now."""
        return LADDER[self._level]

    def handled(self, media: int) -> bool:
        """The composer has come to journal time `media`; True when the rung is another one."""
        now = self._now()
        if self._looked is None:
            self._looked = now, media
            return False
        was, had = self._looked
        if now - was < _LOOK_US:
            return False
        self._looked = now, media
        behind, pace = now - media, (media - had) / (now - was)
        if behind > _BEHIND_US and pace < _CATCHING_UP:
            self._in_time_since = None
            return self._go(self._level + 1, behind)
        if behind > _IN_TIME_US or not self._level:
            self._in_time_since = None
            return False
        if self._in_time_since is None:
            self._in_time_since = now
        if now - self._in_time_since < self._patience:
            return False
        self._in_time_since = None
        return self._go(self._level - 1, behind)

    def _go(self, level: int, behind: int) -> bool:
        if level == self._level or level >= len(LADDER):
            return False
        if level > self._level and self._attempted:
            # More was too much again: the next attempt waits longer.
            self._patience = min(self._patience * 2, _MAX_PATIENCE_US)
        self._attempted = level < self._level
        if bool(level) is not bool(self._level):
            self._on_busy(bool(level))
        self._level = level
        log.warning("picture_reduced" if level else "picture_restored", level=level, behind_s=round(behind / 1e6, 1))
        return True
