"""What of a meeting is in its recording, and which kill took what is not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from tests.faults.counter import FPS

PROMISE_S = 2.0
_NOTICEABLE_S = 0.5
"""A pause shorter than this is the jitter of a busy machine, not a loss."""


@dataclass(frozen=True)
class Kill:
    """When (seconds since the publisher's epoch) and whom."""

    at: float
    victim: str


@dataclass(frozen=True)
class Gap:
    """Pictures that are missing, from the last one before to the first one after, and the kills that explain them.

    lost_s: without the time in which the publisher was not connected, because the media server was killed. starved_s:
    in which the recorder wanted to work and the machine had no processor for it."""

    start: float
    end: float
    kills: tuple[Kill, ...]
    lost_s: float
    starved_s: float = 0.0


@dataclass
class Outcome:
    """What came out of one meeting under fire. Seconds; counts are of the meeting's room, locks of all rooms."""

    recording: dict[str, Any]
    kills: list[Kill]
    gaps: list[Gap]
    recordings: int
    files: int
    locks: int
    journals: int
    length_s: float
    asked_s: float
    problems: list[str] = field(default_factory=list)


def verdict(outcome: Outcome) -> list[str]:
    """Every broken promise, in words."""
    broken = [*outcome.problems]
    if outcome.recording["status"] != "complete":
        broken.append(f"it ended as {outcome.recording['status']}: {outcome.recording.get('error')}")
    if (outcome.recordings, outcome.files) != (1, 1):
        broken.append(f"{outcome.recordings} recordings and {outcome.files} files of one meeting")
    if outcome.locks or outcome.journals:
        broken.append(f"{outcome.locks} locks and {outcome.journals} pieces of journal left behind")
    for gap in outcome.gaps:
        victims, fault_s = [kill.victim for kill in gap.kills], gap.lost_s - gap.starved_s
        if not victims and fault_s > PROMISE_S:  # less is what a starved machine does to the publisher itself
            broken.append(f"{gap.lost_s:.2f} s missing at {gap.start:.2f} s without any kill")
        elif victims and fault_s > PROMISE_S * len(victims):
            broken.append(f"{gap.lost_s:.2f} s lost at {gap.start:.2f} s by killing {', '.join(victims)}")
    return broken


def gaps(
    numbers: Sequence[int],
    kills: Sequence[Kill],
    offline: Sequence[tuple[float, float]],
    until: float,
    starved: Callable[[float, float], float] = lambda _start, _end: 0.0,
) -> list[Gap]:
    """The noticeable gaps in the order of the file, up to `until` (when the recording was asked to stop). starved: how
    long the recorder waited for a processor between two moments."""
    times = [number / FPS for number in sorted(numbers)]
    times.append(max(until, times[-1]))
    found = []
    for start, end in pairwise(times):
        if end - start < _NOTICEABLE_S:
            continue
        inside = tuple(kill for kill in kills if start - 0.3 <= kill.at <= end)
        lost_s = end - start - _absent(start, end, inside, offline)
        found.append(Gap(start, end, inside, lost_s, starved(start, end)))
    return found


def _absent(start: float, end: float, kills: Sequence[Kill], offline: Sequence[tuple[float, float]]) -> float:
    """Seconds between `start` and `end` in which nobody could send: from the death of the media server on, which
    clients notice late, until they are back."""
    spans = list(offline)
    for kill in kills:
        if kill.victim in ("media", "drain", "all"):
            back = min((until for since, until in offline if until > kill.at), default=kill.at)
            spans.append((kill.at, back))
    total, reached = 0.0, start
    for since, until in sorted(spans):
        since, until = max(since, reached), min(until, end)
        if until > since:
            total, reached = total + until - since, until
    return total
