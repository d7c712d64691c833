"""The workers as the front sees them, and the way to the one that has a room."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Final

import structlog

from meet.media.front.channel import Channel, Message
from meet.media.front.placement import Load, Placement

log = structlog.get_logger(__name__)

PATIENCE_S: Final = 8.0
"""How long a request waits for a worker that is being restarted: less than SDKs wait for an answer."""


class NobodyThere(Exception):
    """The worker of the room, or every worker, is away for longer than a client would wait."""


@dataclass(eq=False)
class Worker:
    """One worker. channel: None while it is away; draining: it takes no new room."""

    index: int
    channel: Channel | None = None
    pid: int = 0
    draining: bool = False
    known: bool = False
    """It has connected at least once, so its rooms are known."""
    announced: list[str] = field(default_factory=list)

    @property
    def there(self) -> bool:
        return self.channel is not None


class Fleet:
    """All workers by index. Listeners hear of rooms that start, or are there after a worker came back, and finish."""

    def __init__(self, count: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.workers = [Worker(index) for index in range(count)]
        self.placement = Placement(clock)
        self.on_room_started: list[Callable[[str], None]] = []
        self.on_room_finished: list[Callable[[str], None]] = []
        self.on_drain: Callable[[Worker], None] = lambda worker: None
        self.moving: dict[str, asyncio.Event] = {}
        self._answers: dict[tuple[int, str, str], asyncio.Future[bytes]] = {}
        self._changed = asyncio.Condition()
        self._tasks: set[asyncio.Task[None]] = set()

    # -- connections

    def connected(self, sock: socket.socket) -> None:
        """Somebody connected; it becomes a worker when it says hello."""
        worker: Worker | None = None

        def on_message(message: Message) -> None:
            nonlocal worker
            if message.kind == "hello":
                worker = self._hello(channel, message)
            elif worker is not None:
                self._hear(worker, message)
            if worker is not None:
                self.placement.heard(worker.index)

        def on_closed() -> None:
            if worker is not None and worker.channel is channel:
                tell = log.info if worker.draining else log.warning
                tell("media_worker_lost", worker=worker.index, rooms=len(self.placement.rooms_of(worker.index)))
                worker.channel = None
                self._wake()

        channel = Channel(sock, on_message, on_closed)

    def _hello(self, channel: Channel, message: Message) -> Worker:
        worker = self.workers[int(message.fields["worker"])]
        if worker.channel is not None:
            worker.channel.close()
        worker.channel, worker.pid = channel, int(message.fields["pid"])
        worker.draining = bool(message.fields["draining"])
        worker.known, worker.announced = False, []
        return worker

    def _hear(self, worker: Worker, message: Message) -> None:
        index = worker.index
        if message.kind == "room":
            if worker.known:
                self._started(message.text("name"), index)
            else:
                worker.announced.append(message.text("name"))
        elif message.kind == "ready":
            self.placement.claim(index, worker.announced, yields=worker.draining)
            worker.known = True
            for name in worker.announced:
                self._tell(self.on_room_started, name)
            log.info("media_worker_there", worker=index, pid=worker.pid, rooms=len(worker.announced))
            self._wake()
            if worker.draining:
                self.on_drain(worker)
        elif message.kind == "gone":
            if self.placement.finished(message.text("name"), index):
                self._tell(self.on_room_finished, message.text("name"))
        elif message.kind == "load":
            self.placement.report(index, Load(**message.fields))
        elif message.kind == "draining":
            worker.draining = True
            self.on_drain(worker)
        elif message.kind in ("kept", "taken"):
            answer = self._answers.get((index, message.kind, message.text("name")))
            if answer is not None and not answer.done():
                answer.set_result(message.data)

    def _started(self, name: str, index: int) -> None:
        self.placement.started(name, index)
        self._tell(self.on_room_started, name)

    @staticmethod
    def _tell(listeners: list[Callable[[str], None]], name: str) -> None:
        for listener in listeners:
            listener(name)

    def _wake(self) -> None:
        async def notify() -> None:
            async with self._changed:
                self._changed.notify_all()

        task = asyncio.create_task(notify())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def settled(self, timeout_s: float) -> bool:
        """Whether every worker has told its rooms, waited for at most so long."""
        return await self._until(lambda: all(w.known for w in self.workers), timeout_s)

    async def _until(self, condition: Callable[[], bool], timeout_s: float) -> bool:
        async with self._changed:
            try:
                await asyncio.wait_for(self._changed.wait_for(condition), timeout_s)
            except TimeoutError:
                return condition()
        return True

    @property
    def anybody(self) -> bool:
        return any(worker.there for worker in self.workers)

    async def without_leavers(self, timeout_s: float) -> None:
        """Wait for the workers that are about to end."""
        await self._until(lambda: not any(w.there and w.draining for w in self.workers), timeout_s)

    def close(self) -> None:
        """Let go of all workers."""
        for worker in self.workers:
            if worker.channel is not None:
                worker.channel.close()
                worker.channel = None

    # -- the way to a room

    def takers(self, *, but: Worker | None = None) -> Collection[int]:
        """Workers that new rooms may go to."""
        return self.placement.speaking(
            [w.index for w in self.workers if w.there and w.known and not w.draining and w is not but]
        )

    async def of_room(self, room: str | None, *, creates: bool = False, patience_s: float = PATIENCE_S) -> Worker:
        """The worker that has the room, waited for while it is restarted. creates: the request may make the room.

        Any worker for a room that does not exist, or None: it knows the right refusal. Raises NobodyThere.
        """
        deadline = self._clock() + patience_s
        while True:
            moved = self.moving.get(room) if room is not None else None
            if moved is not None:
                await moved.wait()
            worker = self._choose(room, creates)
            if worker is not None and worker.there and worker.known:
                return worker
            left = deadline - self._clock()
            if left <= 0:
                raise NobodyThere
            await self._arrival(worker, left)

    async def _arrival(self, worker: Worker | None, timeout_s: float) -> None:
        if worker is None:
            await self._until(lambda: bool(self.takers()), timeout_s)
        else:
            await self._until(lambda: worker.there and worker.known, timeout_s)

    def _choose(self, room: str | None, creates: bool) -> Worker | None:
        takers = self.takers()
        if room is not None and (creates or self.placement.where(room) is not None):
            if not takers and self.placement.where(room) is None:
                return None
            index = self.placement.place(room, takers) if creates else self.placement.where(room)
            return self.workers[index] if index is not None else None
        there = takers or [w.index for w in self.workers if w.there and w.known]
        return self.workers[self.placement.least_loaded(there)] if there else None

    async def all(self, patience_s: float = PATIENCE_S) -> list[Worker]:
        """Every worker. Raises NobodyThere when one stays away: an answer without its rooms would be wrong."""
        if not await self._until(lambda: all(w.there and w.known for w in self.workers), patience_s):
            raise NobodyThere
        return self.workers

    # -- towards workers

    def let_stop(self, worker: Worker) -> None:
        """It may end now. Nobody is sent there any more: for what it still has, requests wait for the next one."""
        worker.known, worker.announced = False, []
        self.tell(worker, "stop")

    def tell(self, worker: Worker, kind: str, data: bytes = b"", **fields: str | bool) -> bool:
        """False when it is away, or does not read."""
        return worker.channel is not None and worker.channel.send(kind, fields, data=data)

    def show_recording(self, room: str, recorded: bool) -> None:
        """Have a room's clients shown whether it is being recorded."""
        index = self.placement.where(room)
        if index is not None:
            self.tell(self.workers[index], "recording", name=room, active=recorded)

    async def ask(
        self, worker: Worker, kind: str, answer: str, name: str, timeout_s: float, data: bytes = b""
    ) -> bytes | None:
        """Tell, and wait for the answer about this room: what comes with it, None when it does not come."""
        future: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        key = (worker.index, answer, name)
        self._answers[key] = future
        try:
            return await asyncio.wait_for(future, timeout_s) if self.tell(worker, kind, data, name=name) else None
        except TimeoutError:
            return None
        finally:
            del self._answers[key]
