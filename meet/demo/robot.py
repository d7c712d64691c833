"""A participant made of arithmetic: moving video and a tone, with a flash and a beep at every full second."""

from __future__ import annotations

import asyncio
import math
import time
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from livekit import rtc

FPS: Final = 30
SAMPLE_RATE: Final = 48_000
CHUNK: Final = SAMPLE_RATE // 100
_MAX_QUEUED_S: Final = 0.05
_LAG_CHUNKS: Final = 2
_LATE_S: Final = 0.05
MARK_S: Final = 0.1
"""Length of the flash and of the beep."""


def video_frame(t: float, width: int, height: int, hue: int) -> bytes:
    """I420 picture at `t` seconds: a bright bar travelling over a gradient, all white during the mark."""
    if t % 1.0 < MARK_S:
        luma = np.full((height, width), 235, np.uint8)
    else:
        luma = np.broadcast_to(np.linspace(40, 120, width, dtype=np.uint8), (height, width)).copy()
        left = int((t * 0.25 % 1.0) * (width - width // 8))
        luma[:, left : left + width // 8] = 180
    chroma = np.full((height // 2, width // 2), 128, np.uint8)
    tint = chroma if t % 1.0 < MARK_S else np.full_like(chroma, hue)
    return luma.tobytes() + tint.tobytes() + chroma.tobytes()


def audio_chunk(first_sample: int, tone_hz: float, period_s: float = 1.0) -> npt.NDArray[np.int16]:
    """10 ms of mono sound starting at sample `first_sample`: a quiet tone, a loud 1 kHz beep during the mark."""
    n = np.arange(first_sample, first_sample + CHUNK)
    beep = (n % (period_s * SAMPLE_RATE)) < MARK_S * SAMPLE_RATE
    wave = np.where(
        beep, 0.6 * np.sin(2 * np.pi * 1000 * n / SAMPLE_RATE), 0.02 * np.sin(2 * np.pi * tone_hz * n / SAMPLE_RATE)
    )
    return (wave * 32767).astype(np.int16)


class Robot:
    """One publisher; `async with Robot(...)` joins, publishes and leaves. `epoch` (monotonic s) aligns several.

    period_s: between two marks; mark n is due at epoch + n * period_s. spoilt: the marks whose flash or beep it was
    late with, or left out, because it did not get the processor in time: they tell nothing about a recording.
    """

    def __init__(
        self,
        url: str,
        token: str,
        *,
        width: int = 640,
        height: int = 360,
        hue: int = 90,
        tone_hz: float = 220.0,
        epoch: float | None = None,
        period_s: float = 1.0,
    ) -> None:
        self.room = rtc.Room()
        self.spoilt: set[int] = set()
        self._url, self._token = url, token
        self._width, self._height, self._hue, self._tone_hz = width, height, hue, tone_hz
        self._epoch = time.monotonic() if epoch is None else epoch
        self._period_s = period_s
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Robot:
        await self.room.connect(self._url, self._token)
        video = rtc.VideoSource(self._width, self._height)
        audio = rtc.AudioSource(SAMPLE_RATE, 1, queue_size_ms=100)
        publish = self.room.local_participant.publish_track
        await publish(
            rtc.LocalVideoTrack.create_video_track("camera", video),
            rtc.TrackPublishOptions(
                source=rtc.TrackSource.SOURCE_CAMERA, simulcast=False, video_codec=rtc.VideoCodec.VP8
            ),
        )
        await publish(
            rtc.LocalAudioTrack.create_audio_track("microphone", audio),
            rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE, dtx=False),
        )
        self._tasks = [asyncio.create_task(self._show(video)), asyncio.create_task(self._sound(audio))]
        return self

    async def __aexit__(self, *_: Any) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.room.disconnect()

    async def _show(self, source: Any) -> None:
        frame_s = self._period_s / FPS
        k = int((time.monotonic() - self._epoch) / frame_s) + 1
        while True:
            due = self._epoch + k * frame_s
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            picture = video_frame(k / FPS, self._width, self._height, self._hue)
            if k % FPS == 0 and time.monotonic() - due > _LATE_S:
                self.spoilt.add(k // FPS)
            source.capture_frame(rtc.VideoFrame(self._width, self._height, rtc.VideoBufferType.I420, picture))
            k += 1

    async def _sound(self, source: Any) -> None:
        k = int((time.monotonic() - self._epoch) * 100) + 1
        while True:
            due = self._epoch + k / 100
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            if source.queued_duration > _MAX_QUEUED_S:
                self._spoil(k, k + 1)
                k += 1  # otherwise what has piled up in a stall would stay, and the sound behind the picture for good
                continue
            if time.monotonic() - due > _LATE_S:
                self._spoil(k, k + 1)
            samples = audio_chunk(k * CHUNK, self._tone_hz, self._period_s)
            await source.capture_frame(rtc.AudioFrame(samples.tobytes(), SAMPLE_RATE, 1, CHUNK))
            # After a stall go on with what is due now: sound that was never heard must not delay all that follows.
            following = max(k + 1, int((time.monotonic() - self._epoch) * 100) - _LAG_CHUNKS)
            self._spoil(k + 1, following)
            k = following

    def _spoil(self, first: int, end: int) -> None:
        """The marks that begin in these chunks."""
        per_mark = self._period_s * 100
        self.spoilt.update(range(math.ceil(first / per_mark), math.ceil(end / per_mark)))
