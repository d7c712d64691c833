"""People come and go in every way there is: afterwards nothing of ours or of the libraries' is left of them."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections import Counter
from dataclasses import dataclass
from typing import Any

import psutil
import pytest
from aiortc.rtcdtlstransport import RTCDtlsTransport
from aiortc.rtcsctptransport import RTCSctpTransport

from meet.media.gateway import pulse
from meet.media.gateway.session import Session
from meet.media.gateway.signal_socket import SignalSocket
from meet.media.main import MediaServer
from meet.media.room import Participant, Publication
from meet.media.sfu.downtrack import DownTrack
from meet.media.sfu.track import Track
from meet.media.sfu.upstream import UpStream
from meet.media.transport.peer import Peer
from tests.e2e.media.cycles import stay
from tests.support.light import LightParticipant
from tests.unit.media.gateway.client import running, token

CYCLES = 12
KINDS: tuple[type[Any], ...] = (
    *(Session, SignalSocket, Participant, Publication, Peer, Track, UpStream, DownTrack),
    *(RTCDtlsTransport, RTCSctpTransport, asyncio.Task),
)


@dataclass(frozen=True)
class Held:
    """What the process holds. threads: without those of the default executor, of which there are as many as were once
    busy at a time."""

    objects: Counter[str]
    tables: tuple[int, ...]
    files: int
    threads: int

    def covers(self, later: Held) -> bool:
        """Nothing was added until `later`. What earlier tests of this process had may have gone meanwhile."""
        ours = (later.objects, later.tables) == (self.objects, self.tables)
        return ours and later.files <= self.files and later.threads <= self.threads

    @property
    def alone(self) -> bool:
        """Only the watcher is there."""
        return self.objects["Peer"] == self.objects["SignalSocket"] == 1 and not self.objects["Publication"]


def living() -> list[Any]:
    """Everything that could be left behind."""
    gc.collect()
    return [thing for thing in gc.get_objects() if isinstance(thing, KINDS)]


def held(server: MediaServer, others: set[int]) -> Held:
    """others: ids of what earlier tests of this process, whose event loops are gone, have left."""
    objects = Counter(type(thing).__name__ for thing in living() if id(thing) not in others)
    mux, process = server.mux, psutil.Process()
    tables = (len(mux._by_address), len(mux._by_ufrag), len(mux._paths), len(server.gateway.pulse.sessions))
    executor = sum(thread.name.startswith("asyncio_") for thread in threading.enumerate())
    return Held(objects, tables, process.num_fds(), process.num_threads() - executor)


async def test_nothing_is_left_of_those_who_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulse, "RESUME_S", 0.5)
    monkeypatch.setattr(pulse, "JOIN_S", 4.0)
    earlier = living()  # kept, so that no id is given again
    others = {id(thing) for thing in earlier}
    async with running() as server:

        async def enter(identity: str, single_pc: bool, *, media: bool = True) -> LightParticipant:
            url = f"http://127.0.0.1:{server.port}"
            robot = LightParticipant(identity, url, server.rtc_port, single_pc=single_pc)
            await robot.join(token(identity), media=media)
            return robot

        async def settled(expected: Held | None = None) -> Held:
            now = held(server, others)
            try:
                async with asyncio.timeout(60):
                    while not (expected.covers(now) if expected is not None else now.alone):
                        await asyncio.sleep(0.1)
                        now = held(server, others)
            except TimeoutError:
                pytest.fail(f"left behind: {now}, expected: {expected}")
            return now

        watcher = await enter("watcher", True)
        await asyncio.gather(*(stay(n, enter, watcher) for n in range(4)))  # caches fill, sections are made
        before = await settled()
        silent = await enter("silent", False, media=False)
        for first in range(0, CYCLES, 6):
            await asyncio.gather(*(stay(n, enter, watcher) for n in range(first, first + 6)))
        await silent.ended.wait()  # it never had media, and was sent away
        await silent.leave()
        del silent
        await settled(before)
        await watcher.leave()
