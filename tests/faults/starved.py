"""How long a recording's processes wanted a processor and had none: that is the machine's doing, not theirs."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Final

import psutil

from meet.demo.server import Server

_LOOK_S: Final = 0.25


class Starved:
    """`async with Starved(server, now).watching(): ...`, with `now()` in seconds."""

    def __init__(self, server: Server, now: Callable[[], float]) -> None:
        self._server, self._now = server, now
        self._titles: dict[int, str] = {}
        self._waited: dict[int, list[tuple[float, float]]] = {}
        """Of every process: times, and seconds waited in all by then."""

    @contextlib.asynccontextmanager
    async def watching(self) -> AsyncIterator[Starved]:
        looking = asyncio.create_task(self._look_again())
        try:
            yield self
        finally:
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)

    def seconds(self, recording_id: str, start: float, end: float) -> float:
        """What the recorders of this recording waited between two moments. They come one after the other; what one has
        waited as a spare, before it was given the recording, counts as well."""
        total = 0.0
        for pid, title in self._titles.items():
            if recording_id in title:
                before = max((waited for at, waited in self._waited[pid] if at < start), default=0.0)
                total += max((waited for at, waited in self._waited[pid] if at <= end), default=before) - before
        return min(total, end - start)

    async def _look_again(self) -> None:
        while True:
            with contextlib.suppress(psutil.NoSuchProcess):  # the server itself is being started again
                self._look(psutil.Process(self._server.pid).children(recursive=True))
            await asyncio.sleep(_LOOK_S)

    def _look(self, children: list[psutil.Process]) -> None:
        for child in children:
            with contextlib.suppress(psutil.NoSuchProcess, OSError):  # it has ended meanwhile
                title = " ".join(child.cmdline())
                if "recorder" in title:
                    # Time on a processor, time spent waiting for one (ns), number of turns: kernel's sched-stats.rst.
                    waited = int(Path(f"/proc/{child.pid}/schedstat").read_text().split()[1]) / 1e9
                    self._titles[child.pid] = title
                    self._waited.setdefault(child.pid, []).append((self._now(), waited))
