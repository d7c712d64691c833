"""A publisher whose every picture carries its number, so that a recording tells which of them are in it."""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from pathlib import Path
from typing import Any, Final

import av
import numpy as np
import numpy.typing as npt
from livekit import rtc

from meet.demo.robot import SAMPLE_RATE, Robot, audio_chunk

FPS: Final = 15
WIDTH, HEIGHT = 320, 180
_BITS: Final = 16
_ROW: Final = 40
_FLASH_S: Final = 0.1


def picture(number: int) -> bytes:
    """I420: the number as 16 black and white cells, their negative below, and a flash in every second."""
    luma = np.full((HEIGHT, WIDTH), 235 if number % FPS < FPS * _FLASH_S else 60, np.uint8)
    bits = np.array([number >> bit & 1 for bit in range(_BITS)], np.uint8)
    cells = np.repeat(bits, WIDTH // _BITS) * np.uint8(219) + np.uint8(16)
    luma[:_ROW], luma[_ROW : 2 * _ROW] = cells, 251 - cells
    return luma.tobytes() + bytes([128]) * (WIDTH * HEIGHT // 2)


def read_number(luma: npt.NDArray[np.uint8]) -> int | None:
    """The number in a picture of any size, None when there is none."""
    height, width = luma.shape
    columns = ((np.arange(_BITS) + 0.5) * width / _BITS).astype(int)
    upper, lower = (luma[int((row + 0.5) * _ROW * height / HEIGHT), columns].astype(int) for row in (0, 1))
    if (abs(upper - lower) < 80).any():
        return None
    return int(((upper > lower) << np.arange(_BITS)).sum())


def numbers_in(path: Path) -> tuple[list[int], float]:
    """(numbers in the order in which they appear, each once; length of the picture in seconds) of a whole file."""
    seen: dict[int, None] = {}
    frames = 0
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "SLICE"
        rate = float(stream.average_rate or 0)
        for frame in container.decode(stream):
            frames += 1
            plane = frame.planes[0]
            rows = np.frombuffer(bytes(plane), np.uint8).reshape(plane.height, plane.line_size)
            number = read_number(rows[:, : plane.width])
            if number is not None:
                seen.setdefault(number)
    return list(seen), frames / rate


class Counter(Robot):
    """Publishes numbered pictures and a beep a second, and comes back whenever it is thrown out."""

    def __init__(self, url: str, token: str, *, epoch: float) -> None:
        super().__init__(url, token, width=WIDTH, height=HEIGHT, epoch=epoch)
        self._offline: list[tuple[float, float]] = []
        self._gone_since: float | None = None
        self._leaving = False

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.monotonic() - self._epoch

    @property
    def offline(self) -> list[tuple[float, float]]:
        """Times, in seconds since `epoch`, between which it was not connected."""
        return self._offline + ([(self._gone_since, math.inf)] if self._gone_since is not None else [])

    async def online(self, for_s: float, patience_s: float) -> None:
        """Wait until it has been connected for a while; returns anyway when that takes too long."""
        deadline = self.now() + patience_s
        while self.now() < deadline:
            since = max((until for _, until in self.offline), default=0.0)
            if self.now() - since >= for_s:
                return
            await asyncio.sleep(0.1)

    async def __aenter__(self) -> Counter:
        self._watch()
        await super().__aenter__()
        self._keeper = asyncio.create_task(self._keep_joined())
        return self

    async def __aexit__(self, *details: Any) -> None:
        self._leaving = True
        self._keeper.cancel()
        await asyncio.gather(self._keeper, return_exceptions=True)
        await super().__aexit__(*details)

    def _watch(self) -> None:
        self._lost = asyncio.Event()
        self.room.on("reconnecting", self._gone)
        self.room.on("reconnected", self._back)
        self.room.on("disconnected", self._thrown_out)

    def _gone(self) -> None:
        if self._gone_since is None:
            self._gone_since = self.now()

    def _thrown_out(self, *_: Any) -> None:
        self._gone()
        self._lost.set()

    def _back(self) -> None:
        if self._gone_since is not None:
            self._offline.append((self._gone_since, self.now()))
            self._gone_since = None

    async def _keep_joined(self) -> None:
        while True:
            await self._lost.wait()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            self.room = rtc.Room()
            self._watch()
            with contextlib.suppress(rtc.ConnectError, rtc.room.ConnectError):
                await super().__aenter__()
                self._back()
                continue
            self._lost.set()
            await asyncio.sleep(0.2)

    async def _show(self, source: Any) -> None:
        number = int(self.now() * FPS) + 1
        while True:
            await asyncio.sleep(max(0.0, number / FPS - self.now()))
            source.capture_frame(rtc.VideoFrame(WIDTH, HEIGHT, rtc.VideoBufferType.I420, picture(number)))
            number += 1

    async def _sound(self, source: Any) -> None:
        chunk = int(self.now() * 100) + 1
        while True:
            await asyncio.sleep(max(0.0, chunk / 100 - self.now()))
            samples = audio_chunk(chunk * (SAMPLE_RATE // 100), 220.0)
            await source.capture_frame(rtc.AudioFrame(samples.tobytes(), SAMPLE_RATE, 1, SAMPLE_RATE // 100))
            chunk = max(chunk + 1, int(self.now() * 100) - 2)
