"""Moves the rooms of a worker that is about to stop, one after the other, to the others.

For each room: the worker says what it is and changes it no more (`give`, `kept`), another one makes it from that
(`take`, `taken`), from then on clients are sent there, and the first one tells its clients to come again (`let_go`).
Requests about the room wait meanwhile, some milliseconds.
"""

from __future__ import annotations

import asyncio
from typing import Final

import structlog

from meet.media.front.fleet import Fleet, Worker

log = structlog.get_logger(__name__)

SETTLE_S: Final = 0.25
"""Wait so long for others to want to stop as well: a service manager ends all processes at once."""
_ANSWER_S: Final = 3.0
_APART_S: Final = 0.05
"""Between two rooms, so that the others are not run over by everybody at once."""


class Drains:
    """Begin with `start`; `stopping` is set when the front itself ends, and then nothing is moved any more."""

    def __init__(self, fleet: Fleet, *, settle_s: float = SETTLE_S) -> None:
        self._fleet = fleet
        self._settle_s = settle_s
        self._running: dict[int, asyncio.Task[None]] = {}
        self.stopping = False

    def start(self, worker: Worker) -> None:
        """Called when the worker says that it drains; again when its connection came back meanwhile."""
        if self.stopping:
            self._fleet.let_stop(worker)
            return
        running = self._running.get(worker.index)
        if running is not None:
            running.cancel()
        self._running[worker.index] = asyncio.create_task(self._drain(worker), name=f"drain worker {worker.index}")

    def stop(self) -> None:
        """The front ends: whoever wants to stop shall do so on its own."""
        self.stopping = True
        for task in self._running.values():
            task.cancel()
        for worker in self._fleet.workers:
            if worker.draining:
                self._fleet.let_stop(worker)

    async def _drain(self, worker: Worker) -> None:
        fleet = self._fleet
        await asyncio.sleep(self._settle_s)
        log.info("media_worker_draining", worker=worker.index, rooms=len(fleet.placement.rooms_of(worker.index)))
        moved: set[str] = set()
        # Asked anew each time: somebody may have been on the way here with a room of their own.
        while rooms := [name for name in fleet.placement.rooms_of(worker.index) if name not in moved]:
            # Not draining any more: it has died meanwhile, and this is the next one.
            if self.stopping or not worker.draining or not await self.move(worker, rooms[0]):
                break
            moved.add(rooms[0])
            await asyncio.sleep(_APART_S)
        log.info("media_worker_drained", worker=worker.index, moved=len(moved), left=len(rooms))
        if worker.draining:
            fleet.let_stop(worker)

    async def move(self, source: Worker, name: str) -> bool:
        """One room; False when there is nobody to take it, or the worker went away."""
        fleet = self._fleet
        arrived = fleet.moving[name] = asyncio.Event()
        try:
            kept = await fleet.ask(source, "give", "kept", name, _ANSWER_S)
            if kept is None:
                return not source.there or not fleet.placement.lives(name)
            tried: set[int] = set()
            while takers := [index for index in fleet.takers(but=source) if index not in tried]:
                target = fleet.workers[fleet.placement.least_loaded(takers)]
                if await fleet.ask(target, "take", "taken", name, _ANSWER_S, kept) is not None:
                    fleet.placement.started(name, target.index)
                    fleet.tell(source, "let_go", name=name)
                    for listener in fleet.on_room_started:
                        listener(name)
                    log.info("room_moved", room=name, from_worker=source.index, to_worker=target.index)
                    return True
                fleet.tell(target, "let_go", name=name)  # should it take the room nevertheless, only later
                tried.add(target.index)
            return False
        finally:
            del fleet.moving[name]
            arrived.set()
