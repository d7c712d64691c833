"""A worker's end of the channel: it says which rooms it has and how busy it is, and takes clients and rooms."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import Coroutine
from typing import Any, Final, Protocol

import structlog

from meet.media.front.channel import Channel, Message, connect
from meet.media.front.places import Places
from meet.media.room import RoomEvent, RoomFinished, RoomKeeper, RoomRegistry, RoomStarted

log = structlog.get_logger(__name__)

_RETRY_S: Final = 0.1
_LOOK_S: Final = 0.1
_LOOKS_PER_REPORT: Final = 10
_WEIGHT: Final = 0.3
"""Of the last second in what is told."""
DRAIN_TIMEOUT_S: Final = 60.0
"""After that a worker stops by itself, with whatever rooms it still has."""


class Serving(Protocol):
    """What the duty needs of the media server."""

    registry: RoomRegistry

    keeper: RoomKeeper | None

    async def adopt(self, sock: socket.socket, received: bytes) -> None: ...

    async def let_go(self, room_name: str) -> None: ...


class Duty:
    """Connected to the front for as long as the process lives: `start`, then `drain` before the server stops, `close`.

    A front that dies is looked for until there is another one."""

    def __init__(self, index: int, places: Places, server: Serving) -> None:
        self._index = index
        self._places = places
        self._server = server
        self._channel: Channel | None = None
        self._lost = asyncio.Event()
        self._stop = asyncio.Event()
        self._draining = False
        self._leaving = False
        self._taking: dict[str, asyncio.Task[None]] = {}
        self._letting: list[asyncio.Task[None]] = []
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        self._server.registry.add_listener(self._on_room_event)
        self._spawn(self._stay_connected())
        self._spawn(self._report())

    async def drain(self) -> None:
        """Have the rooms taken over by other workers. Returns when that is done, or when nobody can take them."""
        self._draining = True
        if self._channel is not None and self._channel.send("draining"):
            try:
                await asyncio.wait_for(self._stop.wait(), DRAIN_TIMEOUT_S)
            except TimeoutError:
                log.warning("drain_timeout", rooms=len(self._server.registry.list()))
            await asyncio.gather(*self._letting, return_exceptions=True)
        self._leaving = True

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._channel is not None:
            self._channel.close()

    # -- the connection

    async def _stay_connected(self) -> None:
        while True:
            try:
                sock = connect(self._places.link)
            except OSError:
                if self._draining:
                    self._stop.set()  # nobody is there to move the rooms
                await asyncio.sleep(_RETRY_S)
                continue
            self._lost.clear()
            channel = self._channel = Channel(sock, self._on_message, self._lost.set)
            channel.send("hello", {"worker": self._index, "pid": os.getpid(), "draining": self._draining})
            for room in self._server.registry.list():
                channel.send("room", {"name": room.name})
            channel.send("ready")
            await self._lost.wait()
            self._channel = None
            log.warning("media_front_lost")

    async def _report(self) -> None:
        busy = lag = 0.0
        while True:
            cpu, began = time.process_time(), time.monotonic()
            for _ in range(_LOOKS_PER_REPORT):
                await asyncio.sleep(_LOOK_S)
            took = time.monotonic() - began
            # Smoothed, so that one bad moment of a busy machine sends no meeting elsewhere.
            busy += _WEIGHT * ((time.process_time() - cpu) / took - busy)
            lag += _WEIGHT * (took / _LOOKS_PER_REPORT - _LOOK_S - lag)
            if self._channel is not None:
                self._channel.send(
                    "load",
                    {
                        "participants": sum(len(room.participants) for room in self._server.registry.list()),
                        "busy": round(busy, 3),
                        "lag_ms": round(lag * 1000, 1),
                    },
                )

    def _on_room_event(self, event: RoomEvent) -> None:
        if self._channel is None or not isinstance(event, RoomStarted | RoomFinished):
            return
        if self._leaving:
            return  # the process ends, not the room: it is back with the next one, and its recording goes on
        self._channel.send("room" if isinstance(event, RoomStarted) else "gone", {"name": event.room.name})

    # -- what the front says

    def _on_message(self, message: Message) -> None:
        if message.kind == "client":
            if message.sock is not None:
                self._spawn(self._take_client(message.sock, message.data))
            else:
                log.warning("client_lost_on_the_way")  # no descriptor was free: the kernel has closed it
        elif message.kind == "recording":
            room = self._server.registry.get(message.text("name"))
            if room is not None:
                room.set_active_recording(message.fields["active"] is True)
        elif message.kind == "give":
            self._spawn(self._give(message.text("name")))
        elif message.kind == "take":
            name = message.text("name")
            self._taking[name] = self._spawn(self._take(name, message.data))
        elif message.kind == "let_go":
            self._letting.append(self._spawn(self._let_go(message.text("name"))))
        elif message.kind == "stop":
            self._stop.set()

    async def _take_client(self, sock: socket.socket, received: bytes) -> None:
        try:
            await self._server.adopt(sock, received)
        except OSError as error:
            log.warning("client_not_taken", error=error.strerror)
            sock.close()

    async def _give(self, name: str) -> None:
        room = self._server.registry.get(name)
        if room is not None and self._server.keeper is not None:
            self._answer("kept", name, await self._server.keeper.release(room))

    async def _take(self, name: str, kept: bytes) -> None:
        if self._server.keeper is not None and await self._server.keeper.take(name, self._server.registry, kept):
            self._answer("taken", name)
        self._taking.pop(name, None)

    async def _let_go(self, name: str) -> None:
        # A front that did not wait for our answer has given the room to somebody else: there must not be two.
        taking = self._taking.get(name)
        if taking is not None:
            await asyncio.wait((taking,))
        await self._server.let_go(name)

    def _answer(self, kind: str, name: str, data: bytes = b"") -> None:
        if self._channel is not None:
            self._channel.send(kind, {"name": name}, data=data)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
