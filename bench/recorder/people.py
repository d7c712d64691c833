"""The participants of `clips` in a real meeting, by the LiveKit SDK."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Any

from livekit import rtc

from bench.recorder import clips
from meet.demo.robot import SAMPLE_RATE, Robot


@dataclass(frozen=True)
class Clip:
    """What somebody shows and says, over and over; pictures forth and back, so that nothing jumps."""

    pictures: list[bytes]
    sound: list[bytes]

    @classmethod
    def of(cls, seconds: int, seed: int) -> Clip:
        """The camera and microphone of person number `seed`."""
        forth = [picture.tobytes() for picture in clips.pictures(seconds, seed)]
        return cls(forth + forth[-2:0:-1], [sound.tobytes() for sound in clips.voice(seconds, seed)])


class Guest(Robot):
    """A publisher that plays a clip; VP8 at 30 fps and Opus."""

    def __init__(self, url: str, token: str, clip: Clip) -> None:
        super().__init__(url, token, width=clips.WIDTH, height=clips.HEIGHT)
        self._clip = clip

    async def _show(self, source: Any) -> None:
        begun = time.monotonic()
        while True:
            k = int((time.monotonic() - begun) * clips.FPS) + 1
            await asyncio.sleep(max(0.0, begun + k / clips.FPS - time.monotonic()))
            picture = self._clip.pictures[k % len(self._clip.pictures)]
            frame = rtc.VideoFrame(clips.WIDTH, clips.HEIGHT, rtc.VideoBufferType.I420, picture)
            source.capture_frame(frame)

    async def _sound(self, source: Any) -> None:
        while True:
            for sound in self._clip.sound:
                await source.capture_frame(rtc.AudioFrame(sound, SAMPLE_RATE, 1, len(sound) // 2))
