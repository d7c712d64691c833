"""The participants of `clips` in a real meeting: what they send was encoded before, so they cost little."""

from __future__ import annotations

import asyncio
import struct
import time
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

import jwt

from bench.recorder import clips
from meet.media.transport import aiortc_adapter as rtc
from tests.support.light import LightParticipant

_PAYLOAD: Final = 1150
_VIDEO_PT, _AUDIO_PT = 96, 111
_MARKER: Final = 0x80
_TO_1900_S: Final = 2_208_988_800
_SOUND_S: Final = 0.02
_REPORT_S: Final = 1.0


@dataclass(frozen=True)
class Clip:
    """What somebody shows and says, over and over; pictures forth and back, so that nothing jumps.

    pictures: (key frame, VP8 frame in parts of a packet each); every second begins with a key frame. sound: Opus."""

    pictures: list[tuple[bool, list[bytes]]]
    sound: list[bytes]

    @classmethod
    def of(cls, seconds: int, seed: int) -> Clip:
        """The camera and microphone of person number `seed`."""
        forth = list(clips.pictures(seconds, seed))
        coded = clips.camera(chain(forth, forth[-2:0:-1]), keys=clips.FPS)
        parts = [(key, [frame[at : at + _PAYLOAD] for at in range(0, len(frame), _PAYLOAD)]) for key, frame in coded]
        return cls(parts, clips.microphone(seconds, seed))


class Guest(LightParticipant):
    """Publishes a clip at 30 fps and 50 packets of sound per second, and subscribes to nothing; `async with Guest(...)`
    joins and leaves. Who asks for a key frame gets the clip's next one; `asked` counts those."""

    def __init__(self, url: str, token: str, clip: Clip) -> None:
        identity = jwt.decode(token, options={"verify_signature": False})["sub"]
        super().__init__(identity, url, subscribe=False)
        self.asked = 0
        self._token, self._clip = token, clip
        self._sending: asyncio.Task[None] | None = None
        self._counted = {self.video_ssrc: [0, 0], self.audio_ssrc: [0, 0]}

    async def __aenter__(self) -> Guest:
        await self.join(self._token)
        await self.publish()
        self._sending = asyncio.create_task(self._send())
        return self

    async def __aexit__(self, *_: Any) -> None:
        if self._sending is not None:
            self._sending.cancel()
            await asyncio.gather(self._sending, return_exceptions=True)
        await self.leave()

    async def _send(self) -> None:
        """Everything at its time; after a stall what is late goes out at once, and nothing is left out."""
        begun, began_at = time.monotonic(), time.time()
        shown = heard = reported = 0
        while True:
            due = min(shown / clips.FPS, heard * _SOUND_S, reported * _REPORT_S)
            await asyncio.sleep(max(0.0, begun + due - time.monotonic()))
            now = time.monotonic() - begun
            while shown / clips.FPS <= now:
                self._picture(shown)
                shown += 1
            while heard * _SOUND_S <= now:
                self._packet(self.audio_ssrc, _AUDIO_PT, heard * 960, self._clip.sound[heard % len(self._clip.sound)])
                heard += 1
            if reported * _REPORT_S <= now:
                self._report(began_at + now, now)
                reported += 1

    def _picture(self, number: int) -> None:
        key, parts = self._clip.pictures[number % len(self._clip.pictures)]
        if key and self.publisher.key_wanted:
            self.publisher.key_wanted = False
            self.asked += 1
        for k, part in enumerate(parts):
            kind = _VIDEO_PT | (_MARKER if k == len(parts) - 1 else 0)
            descriptor = struct.pack("!BBH", 0x80 if k else 0x90, 0x80, 0x8000 | number & 0x7FFF)
            self._packet(self.video_ssrc, kind, number * 90_000 // clips.FPS, descriptor + part)

    def _packet(self, ssrc: int, kind: int, timestamp: int, body: bytes) -> None:
        counted = self._counted[ssrc]
        counted[0] += 1
        counted[1] += len(body)
        self.send_rtp(ssrc, kind, timestamp, body)

    def _report(self, wall_s: float, media_s: float) -> None:
        """Sender reports (RFC 3550 6.4.1), by which picture and sound are put together."""
        for ssrc, rate in ((self.video_ssrc, 90_000), (self.audio_ssrc, 48_000)):
            packets, octets = self._counted[ssrc]
            info = rtc.RtcpSenderInfo(
                ntp_timestamp=int((wall_s + _TO_1900_S) * 2**32),
                rtp_timestamp=int(media_s * rate) & 0xFFFFFFFF,
                packet_count=packets,
                octet_count=octets,
            )
            names = rtc.RtcpSdesPacket(chunks=[rtc.RtcpSourceInfo(ssrc=ssrc, items=[(1, self.identity.encode())])])
            self.publisher.send_rtcp(bytes(rtc.RtcpSrPacket(ssrc=ssrc, sender_info=info)) + bytes(names))
