"""Four participants: a head that moves before a textured, noisy background, VP8 640x360 at 30 fps, and Opus."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np

from meet.recorder.journal.records import Begin, ClockReport, Frame, Record, Session, Stop, Tick, Track

WIDTH, HEIGHT, FPS = 640, 360, 30
ZERO = 1_790_000_000_000_000


def _camera(seconds: int, seed: int) -> list[tuple[bool, bytes]]:
    """(key frame, VP8 frame) as a browser would send, about 700 kbit/s."""
    rng = np.random.default_rng(seed)
    encoder = av.CodecContext.create("libvpx", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, FPS), Fraction(FPS)
    encoder.bit_rate, encoder.gop_size, encoder.thread_count = 700_000, 3000, 1
    encoder.options = {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0"}
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    room = 110 + 30 * np.sin(columns / 23 + seed) * np.cos(rows / 17) + rng.normal(0, 6, (HEIGHT, WIDTH))
    noise = [rng.normal(0, 2.5, (HEIGHT, WIDTH)) for _ in range(8)]
    chroma = np.full((HEIGHT // 2, WIDTH), 128, np.uint8)
    coded = []
    for k in range(seconds * FPS):
        x = WIDTH / 2 + 40 * np.sin(k / 25 + seed)
        y = HEIGHT / 2 + 12 * np.sin(k / 11)
        head = ((columns - x) / 70) ** 2 + ((rows - y) / 95) ** 2 < 1
        shaded = np.where(head, 160 + (columns - x) * 0.3 + 10 * np.sin(rows / 6 + k / 3), room)
        luma = np.clip(shaded + noise[k % 8], 16, 235).astype(np.uint8)
        frame = av.VideoFrame.from_ndarray(np.concatenate([luma, chroma]), format="yuv420p")
        frame.pts = k
        coded += [(packet.is_keyframe, bytes(packet)) for packet in encoder.encode(frame)]
    return coded


def _microphone(seconds: int, seed: int) -> list[bytes]:
    """Opus packets of 20 ms: noise in syllables."""
    rng = np.random.default_rng(seed)
    encoder = av.CodecContext.create("libopus", "w")
    assert isinstance(encoder, av.AudioCodecContext)
    encoder.sample_rate, encoder.layout, encoder.format, encoder.bit_rate = 48_000, "mono", "s16", 32_000
    encoder.open()
    packets: list[bytes] = []
    for k in range(seconds * 50):
        voice = np.convolve(rng.normal(0, 1, 960 + 63), np.ones(64) / 8, "valid") * abs(np.sin(k / 9 + seed))
        frame = av.AudioFrame.from_ndarray((voice * 4000).astype(np.int16)[None], format="s16", layout="mono")
        frame.sample_rate, frame.pts = 48_000, k * 960
        packets += [bytes(packet) for packet in encoder.encode(frame)]
    return packets


def meeting(seconds: int, people: int = 4) -> list[Record]:
    """The journal records of a meeting of `people`, in order of arrival."""
    records: list[Record] = [Tick(ZERO + k * 100_000) for k in range(seconds * 10)]
    for person in range(people):
        video, audio, who = 2 * person + 1, 2 * person + 2, f"person-{person}"
        records.append(Track(ZERO, video, f"TR_V{person}", "video", "vp8", 90_000, who, who, "camera", False))
        records.append(Track(ZERO, audio, f"TR_A{person}", "audio", "opus", 48_000, who, who, "microphone", False))
        for k, (key, payload) in enumerate(_camera(seconds, person)):
            records.append(Frame(ZERO + k * 1_000_000 // FPS + 30_000, video, k * 3000, key, False, payload))
        for k, payload in enumerate(_microphone(seconds, person)):
            records.append(Frame(ZERO + k * 20_000 + 40_000, audio, k * 960, True, False, payload))
        for second in range(seconds):
            ntp, at = (10_000 + second) << 32, ZERO + second * 1_000_000 + 10_000
            records.append(ClockReport(at, video, ntp, second * 90_000))
            records.append(ClockReport(at, audio, ntp, second * 48_000))
    records.sort(key=lambda record: record.at)
    end = ZERO + seconds * 1_000_000
    return [Session(ZERO, "EG_bench"), Begin(ZERO), *[r for r in records if r.at <= end], Stop(end, "bench")]
