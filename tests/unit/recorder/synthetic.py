"""Journals made of arithmetic: flash-and-beep people, encoded as WebRTC encodes, with transit times of our choice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import av
import numpy as np

from meet.recorder.journal.reader import JournalReader
from meet.recorder.journal.records import Begin, ClockReport, Frame, Record, Session, Stop, Tick, Track
from meet.recorder.journal.writer import JournalWriter

ZERO = 1_790_000_000_000_000
"""Unix µs at which synthetic meetings begin."""
NTP_EPOCH_S = 2_208_988_800
MARK_S = 0.1


@dataclass(frozen=True)
class Coded:
    """One encoded frame. at_us: capture time since the source's start."""

    at_us: int
    key: bool
    payload: bytes


def picture(t: float, width: int, height: int, hue: int) -> av.VideoFrame:
    """A bar travelling over a gradient; white for 0.1 s from every full second on."""
    if t % 1.0 < MARK_S - 1e-6:
        luma = np.full((height, width), 235, np.uint8)
    else:
        luma = np.broadcast_to(np.linspace(40, 120, width, dtype=np.uint8), (height, width)).copy()
        left = int((t * 0.25 % 1.0) * (width - width // 8))
        luma[:, left : left + width // 8] = 180
    chroma = np.full((height // 4, width), hue, np.uint8)
    grey = np.full((height // 4, width), 128, np.uint8)
    return av.VideoFrame.from_ndarray(np.concatenate([luma, chroma, grey]), format="yuv420p")


@lru_cache(maxsize=32)
def video(
    codec: str, seconds: float, width: int = 320, height: int = 180, fps: int = 30, hue: int = 90, keys_s: float = 1.0
) -> tuple[Coded, ...]:
    """An encoded camera. codec: VP8 or H264 (baseline, Annex B)."""
    encoder = av.CodecContext.create("libvpx" if codec == "VP8" else "libx264", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, fps), Fraction(fps)
    encoder.bit_rate, encoder.gop_size, encoder.thread_count = 600_000, round(fps * keys_s), 1
    encoder.options = (
        {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0"}
        if codec == "VP8"
        else {"preset": "ultrafast", "tune": "zerolatency", "profile": "baseline"}
    )
    coded: list[Coded] = []
    for k in range(round(seconds * fps)):
        frame = picture(k / fps, width, height, hue)
        frame.pts = k
        coded += [Coded(int((p.pts or 0) * 1_000_000 / fps), p.is_keyframe, bytes(p)) for p in encoder.encode(frame)]
    return tuple(coded)


@lru_cache(maxsize=8)
def sound(seconds: float, tone_hz: float = 220.0) -> tuple[Coded, ...]:
    """Opus packets of 20 ms: a quiet tone, a loud 1 kHz beep for 0.1 s from every full second on."""
    encoder = av.CodecContext.create("libopus", "w")
    assert isinstance(encoder, av.AudioCodecContext)
    encoder.sample_rate, encoder.layout, encoder.format = 48_000, "mono", "s16"
    encoder.bit_rate = 48_000
    encoder.open()
    coded: list[Coded] = []
    for k in range(round(seconds * 50)):
        n = np.arange(k * 960, (k + 1) * 960)
        loud = (n % 48_000) < MARK_S * 48_000
        wave = np.where(loud, 0.6 * np.sin(2 * np.pi * n / 48), 0.02 * np.sin(2 * np.pi * tone_hz * n / 48_000))
        frame = av.AudioFrame.from_ndarray((wave * 32767).astype(np.int16)[None], format="s16", layout="mono")
        frame.sample_rate, frame.pts = 48_000, k * 960
        for packet in encoder.encode(frame):
            coded.append(Coded(len(coded) * 20_000, True, bytes(packet)))
    return tuple(coded)


@dataclass(frozen=True)
class Source:
    """One track in transit. Times are seconds; joins: when its time 0 is captured, on the meeting's clock.

    transit and jitter (largest, deterministic) delay arrival; ntp_skew_s: the publisher's wall clock is wrong by that;
    reports_from: when the first sender report is sent, None for never; ppm: its RTP clock runs fast by that.
    """

    coded: tuple[Coded, ...]
    media: str = "video"
    codec: str = "VP8"
    identity: str = "ada"
    joins: float = 0.0
    transit: float = 0.02
    jitter: float = 0.0
    reports_from: float | None = 0.0
    report_every: float = 1.0
    ntp_skew_s: float = 0.0
    ppm: float = 0.0
    drop: frozenset[int] = frozenset()
    rtp_base: int = 123_456

    @property
    def rate(self) -> int:
        return 90_000 if self.media == "video" else 48_000

    def records(self, track: int) -> Iterator[Record]:
        """Track, Frame and ClockReport records, to be sorted by time."""
        start = ZERO + round(self.joins * 1e6)
        yield Track(
            start,
            track,
            f"TR_{track}",
            self.media,
            self.codec,
            self.rate,
            self.identity,
            self.identity.title(),
            "camera" if self.media == "video" else "microphone",
            False,
        )
        gap, at = False, 0
        for k, frame in enumerate(self.coded):
            if k in self.drop:
                gap = True
                continue
            if gap and not frame.key:
                continue
            late = self.transit + self.jitter * ((k * 7919) % 101) / 100
            if self.media == "audio":
                late += 0.02  # a packet is complete only when its last sample is
            at = max(at, start + frame.at_us + round(late * 1e6))  # the receiver has put them in order
            yield Frame(at, track, self._rtp(frame.at_us), frame.key, gap, frame.payload)
            gap = False
        if self.reports_from is None:
            return
        length = self.coded[-1].at_us / 1e6
        sent = self.reports_from
        while sent < length:
            wall_us = start + round((sent + self.ntp_skew_s) * 1e6)
            ntp = (wall_us << 32) // 1_000_000 + (NTP_EPOCH_S << 32)
            yield ClockReport(start + round((sent + self.transit) * 1e6), track, ntp, self._rtp(round(sent * 1e6)))
            sent += self.report_every

    def _rtp(self, media_us: int) -> int:
        return self.rtp_base * (3 if self.media == "audio" else 1) + round(
            media_us * self.rate * (1 + self.ppm / 1e6) / 1e6
        )


def meeting(sources: Iterable[Source], seconds: float, extra: Iterable[Record] = ()) -> list[Record]:
    """All records of a meeting in the order in which a recorder writes them, from Session to Stop."""
    records: list[Record] = [Tick(ZERO + k * 100_000) for k in range(int(seconds * 10) + 10)]
    for number, source in enumerate(sources, 1):
        records += source.records(number)
    records += extra
    end = ZERO + round(seconds * 1e6)
    records = sorted((r for r in records if r.at <= end + 250_000), key=lambda r: r.at)
    return [Session(ZERO, "EG_test"), Begin(ZERO), *records, Stop(end, "stop_requested")]


def write(directory: Path, records: Iterable[Record]) -> None:
    """The records as a journal on disk."""
    writer = JournalWriter(directory, lambda: None, lambda error: None)
    for record in records:
        writer.append(record)
    writer.close()


def read(directory: Path) -> list[Record]:
    """All records of a finished journal."""
    reader = JournalReader(directory)
    reader.finish()
    return list(reader)
