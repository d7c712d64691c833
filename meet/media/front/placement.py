"""Which worker a room lives in: decided once, by load, and remembered while the room lives. No sockets."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Final

PROMISE_S: Final = 20.0
"""How long a room that was sent to a worker, and has not been reported by it, stays there.

Longer than the supervisor lets a worker hang: one that goes on later would have the room as well."""

SILENT_S: Final = 3.0
"""A worker that has said nothing for so long gets no new room: reports come every second."""

_BUSY_STEPS: Final = 5
_LAG_STEP_MS: Final = 25.0


@dataclass(frozen=True)
class Load:
    """What a worker says of itself. busy: share of one core; lag_ms: how late its event loop is."""

    participants: int = 0
    busy: float = 0.0
    lag_ms: float = 0.0


class Placement:
    """Rooms and promises by name. clock: seconds, monotonic."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._rooms: dict[str, int] = {}
        self._promised: dict[str, tuple[int, float]] = {}
        self._loads: dict[int, Load] = {}
        self._heard: dict[int, float] = {}

    def where(self, room: str) -> int | None:
        """The worker it lives in, or is promised to."""
        if room in self._rooms:
            return self._rooms[room]
        worker, until = self._promised.get(room, (None, 0.0))
        return worker if until > self._clock() else None

    def place(self, room: str, candidates: Collection[int]) -> int:
        """Where the room is, or shall be: whoever asks next hears the same. Raises ValueError without a candidate."""
        worker = self.where(room)
        if worker is None:
            worker = self.least_loaded(candidates)
        # Renewed at every call: a room that ends while somebody is on the way to it begins again where it was.
        now = self._clock()
        self._promised = {name: entry for name, entry in self._promised.items() if entry[1] > now}
        self._promised[room] = (worker, now + PROMISE_S)
        return worker

    def speaking(self, candidates: Collection[int]) -> Collection[int]:
        """Without those that hang, which nobody else knows before the supervisor has waited for a heartbeat.

        Compared with the last word of any: on a machine with too much to do all are late. When nobody says anything, it
        is not for us to know who will."""
        heard = {worker: self._heard.get(worker, 0.0) for worker in candidates}
        last = max(heard.values(), default=0.0)
        if self._clock() - last > SILENT_S:
            return candidates
        return [worker for worker, at in heard.items() if last - at <= SILENT_S]

    def least_loaded(self, candidates: Collection[int]) -> int:
        """By processor and event loop in coarse steps, then participants, then rooms. Raises ValueError for none."""
        rooms = list(self._rooms.values())
        rooms += [worker for name, (worker, _) in self._promised.items() if name not in self._rooms]

        def cost(worker: int) -> tuple[int, int, int, int]:
            load = self._loads.get(worker, Load())
            strain = int(load.busy * _BUSY_STEPS) + int(load.lag_ms / _LAG_STEP_MS)
            return strain, load.participants, rooms.count(worker), worker

        return min(candidates, key=cost)

    # -- what workers say

    def started(self, room: str, worker: int) -> None:
        self._rooms[room] = worker
        self._promised.pop(room, None)

    def finished(self, room: str, worker: int) -> bool:
        """False when it lives elsewhere by now, and this says nothing about it."""
        if self._rooms.get(room) != worker:
            return False
        del self._rooms[room]
        self._promised[room] = (worker, self._clock() + PROMISE_S)
        return True

    def claim(self, worker: int, rooms: Iterable[str], *, yields: bool) -> None:
        """All rooms of a worker that (re)connected. yields: one that drains keeps no room that another has as well."""
        for name in [name for name, place in self._rooms.items() if place == worker]:
            del self._rooms[name]
        for name in rooms:
            if not (yields and name in self._rooms):
                self.started(name, worker)

    def heard(self, worker: int) -> None:
        """It has said something, whatever it was."""
        self._heard[worker] = self._clock()

    def report(self, worker: int, load: Load) -> None:
        self._loads[worker] = load

    # -- what the front asks

    def rooms_of(self, worker: int) -> list[str]:
        return [name for name, place in self._rooms.items() if place == worker]

    def lives(self, room: str) -> bool:
        return room in self._rooms
