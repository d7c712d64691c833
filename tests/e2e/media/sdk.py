"""Participants made with the `livekit` Python SDK (libwebrtc underneath): they publish and count what they receive."""

from __future__ import annotations

import asyncio
import math
import struct
from collections.abc import Callable
from typing import Any

from livekit import rtc

WIDTH, HEIGHT = 320, 180
_STEP = 480


class Robot:
    """Publishes moving video and a tone on request; counts frames, loud samples and data of the others."""

    def __init__(self, identity: str) -> None:
        self.identity = identity
        self.room = rtc.Room()
        self.frames: dict[str, int] = {}
        self.loud: dict[str, int] = {}
        self.data: list[tuple[bytes, str, str | None]] = []
        self.disconnected: list[int] = []
        self.speakers: set[str] = set()
        self.active: list[Any] = []
        self.amplitude = 12000
        self._tasks: set[asyncio.Task[Any]] = set()
        self._video: rtc.VideoSource | None = None
        self._audio: rtc.AudioSource | None = None
        self.room.on("track_subscribed", self._subscribed)
        self.room.on("data_received", self._received)
        self.room.on("disconnected", lambda reason: self.disconnected.append(reason))
        self.room.on("active_speakers_changed", self._speaking)

    async def join(self, url: str, token: str, *, single_pc: bool = True) -> None:
        options = rtc.RoomOptions(single_peer_connection=single_pc)
        await asyncio.wait_for(self.room.connect(url, token, options), 60)

    async def publish_video(self) -> rtc.LocalTrackPublication:
        self._video = rtc.VideoSource(WIDTH, HEIGHT)
        track = rtc.LocalVideoTrack.create_video_track("camera", self._video)
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_CAMERA, simulcast=False)
        publication = await asyncio.wait_for(self.room.local_participant.publish_track(track, options), 60)
        self.start(self._feed_video(self._video))
        return publication

    async def publish_audio(self, *, amplitude: int = 12000) -> rtc.LocalTrackPublication:
        self.amplitude = amplitude
        self._audio = rtc.AudioSource(48000, 1)
        track = rtc.LocalAudioTrack.create_audio_track("mic", self._audio)
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
        publication = await asyncio.wait_for(self.room.local_participant.publish_track(track, options), 60)
        self.start(self._feed_audio(self._audio))
        return publication

    async def leave(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.room.disconnect()
        if self._audio is not None:
            await self._audio.aclose()
        if self._video is not None:
            await self._video.aclose()

    def start(self, work: Any) -> None:
        self._tasks.add(asyncio.create_task(work))

    def _speaking(self, found: list[Any]) -> None:
        self.active = found
        self.speakers.update(p.identity for p in found)

    def _subscribed(self, track: Any, _publication: Any, participant: Any) -> None:
        if track.kind == rtc.TrackKind.KIND_VIDEO:
            self.start(self._watch(rtc.VideoStream(track), participant.identity))
        else:
            self.start(self._listen(rtc.AudioStream(track), participant.identity))

    def _received(self, packet: Any) -> None:
        self.data.append((packet.data, packet.topic, packet.participant.identity if packet.participant else None))

    async def _watch(self, stream: Any, identity: str) -> None:
        try:
            async for _ in stream:
                self.frames[identity] = self.frames.get(identity, 0) + 1
        finally:
            await stream.aclose()

    async def _listen(self, stream: Any, identity: str) -> None:
        try:
            async for event in stream:
                samples = struct.unpack(f"<{len(event.frame.data)}h", bytes(event.frame.data))
                if max(samples, key=abs, default=0):
                    self.loud[identity] = self.loud.get(identity, 0) + (max(map(abs, samples)) > 2000)
        finally:
            await stream.aclose()

    @staticmethod
    async def _feed_video(source: rtc.VideoSource) -> None:
        count = 0
        while True:
            count += 1
            pixel = bytes([count * 5 & 255, 80, 120, 255])
            source.capture_frame(rtc.VideoFrame(WIDTH, HEIGHT, rtc.VideoBufferType.RGBA, pixel * WIDTH * HEIGHT))
            await asyncio.sleep(0.05)

    async def _feed_audio(self, source: rtc.AudioSource) -> None:
        wave = [math.sin(2 * math.pi * i * 5 / _STEP) for i in range(_STEP)]
        while True:
            tone = struct.pack(f"<{_STEP}h", *(int(self.amplitude * value) for value in wave))
            await source.capture_frame(rtc.AudioFrame(tone, 48000, 1, _STEP))


async def falls_silent(robot: Robot, identity: str) -> None:
    """Wait until hardly anything has been heard of somebody for a second; what was on its way may come late."""
    async with asyncio.timeout(60):
        while True:
            heard = robot.loud[identity]
            await asyncio.sleep(1.0)
            if robot.loud[identity] - heard <= 2:
                return


async def until(condition: Callable[[], object], seconds: float = 60.0) -> None:
    """Wait for a condition; the assertion tells which one did not come true in time."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.05)
