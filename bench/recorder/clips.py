"""Four participants as laptop cameras see them: somebody who talks and moves before a textured wall, the whole picture
swaying a little, with sensor noise; VP8 640x360 at 30 fps and Opus, as a browser would send them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction

import av
import numpy as np
import numpy.typing as npt

from meet.recorder.journal.records import Begin, ClockReport, Frame, Person, Record, Session, Stop, Tick, Track

Picture = npt.NDArray[np.uint8]

WIDTH, HEIGHT, FPS = 640, 360, 30
BIT_RATE = 900_000
ZERO = 1_790_000_000_000_000
_MARGIN = 16
_NOISE = 3.0


def _texture(rng: np.random.Generator, height: int, width: int) -> npt.NDArray[np.float32]:
    """A wall with shelves: detail at every scale."""
    wall = np.full((height, width), 105, np.float32)
    for size in (64, 32, 16, 8, 4):
        cells = rng.normal(0, size**0.5 * 2.2, (height // size + 1, width // size + 1)).astype(np.float32)
        wall += cells.repeat(size, axis=0).repeat(size, axis=1)[:height, :width]
    return wall


def pictures(seconds: int, seed: int) -> Iterator[Picture]:
    """What a camera sees, as I420."""
    rng = np.random.default_rng(seed)
    wall = _texture(rng, HEIGHT + 2 * _MARGIN, WIDTH + 2 * _MARGIN)
    skin = _texture(rng, HEIGHT, WIDTH) * 0.25 + 130
    noise = [rng.normal(0, _NOISE, (HEIGHT, WIDTH)).astype(np.float32) for _ in range(12)]
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    chroma = np.full((HEIGHT // 2, WIDTH), 128, np.uint8)
    for k in range(seconds * FPS):
        sway_x = _MARGIN + round(3 * np.sin(k / 19 + seed) + 1.5 * np.sin(k / 5))
        sway_y = _MARGIN + round(2 * np.sin(k / 23) + np.cos(k / 7 + seed))
        luma = wall[sway_y : sway_y + HEIGHT, sway_x : sway_x + WIDTH].copy()
        x = WIDTH / 2 + 45 * np.sin(k / 25 + seed)
        y = HEIGHT / 2 + 14 * np.sin(k / 11)
        head = ((columns - x) / 72) ** 2 + ((rows - y) / 96) ** 2 < 1
        body = ((columns - x) / 170) ** 2 + ((rows - HEIGHT - 30) / 150) ** 2 < 1
        luma[body] = 70 + 12 * np.sin(columns[body] / 9 + k / 30)
        moved = np.roll(skin, (round(y - HEIGHT / 2), round(x - WIDTH / 2)), axis=(0, 1))
        luma[head] = moved[head]
        mouth = ((columns - x) / 26) ** 2 + ((rows - y - 45) / (3 + 9 * abs(np.sin(k / 3)))) ** 2 < 1
        luma[mouth] = 45
        luma += noise[k % len(noise)] + 2 * np.sin(k / 40)
        yield np.concatenate([np.clip(luma, 16, 235).astype(np.uint8), chroma])


def voice(seconds: int, seed: int) -> Iterator[npt.NDArray[np.int16]]:
    """20 ms of noise in syllables at a time, 48 kHz mono."""
    rng = np.random.default_rng(seed)
    for k in range(seconds * 50):
        wave = np.convolve(rng.normal(0, 1, 960 + 63), np.ones(64) / 8, "valid") * abs(np.sin(k / 9 + seed))
        yield (wave * 4000).astype(np.int16)


def camera(shown: Iterable[Picture], *, keys: int = 3000) -> list[tuple[bool, bytes]]:
    """(key frame, VP8 frame); at least every so many pictures, there is a key frame."""
    encoder = av.CodecContext.create("libvpx", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, FPS), Fraction(FPS)
    encoder.bit_rate, encoder.gop_size, encoder.thread_count = BIT_RATE, keys, 1
    encoder.options = {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0"}
    coded = []
    for k, picture in enumerate(shown):
        frame = av.VideoFrame.from_ndarray(picture, "yuv420p")
        frame.pts = k
        coded += [(packet.is_keyframe, bytes(packet)) for packet in encoder.encode(frame)]
    return coded


def microphone(seconds: int, seed: int) -> list[bytes]:
    """Opus packets of 20 ms."""
    encoder = av.CodecContext.create("libopus", "w")
    assert isinstance(encoder, av.AudioCodecContext)
    encoder.sample_rate, encoder.layout, encoder.format, encoder.bit_rate = 48_000, "mono", "s16", 32_000
    encoder.open()
    packets: list[bytes] = []
    for k, sound in enumerate(voice(seconds, seed)):
        frame = av.AudioFrame.from_ndarray(sound[None], format="s16", layout="mono")
        frame.sample_rate, frame.pts = 48_000, k * 960
        packets += [bytes(packet) for packet in encoder.encode(frame)]
    return packets


def meeting(seconds: int, people: int = 4) -> list[Record]:
    """The journal records of a meeting of `people`, in order of arrival."""
    records: list[Record] = [Tick(ZERO + k * 100_000) for k in range(seconds * 10)]
    for person in range(people):
        video, audio, who = 2 * person + 1, 2 * person + 2, f"person-{person}"
        records.append(Person(ZERO, who, f"Participant {person}"))
        records.append(Track(ZERO, video, f"TR_V{person}", "video", "vp8", 90_000, who, who, "camera", False))
        records.append(Track(ZERO, audio, f"TR_A{person}", "audio", "opus", 48_000, who, who, "microphone", False))
        for k, (key, payload) in enumerate(camera(pictures(seconds, person))):
            records.append(Frame(ZERO + k * 1_000_000 // FPS + 30_000, video, k * 3000, key, False, payload))
        for k, payload in enumerate(microphone(seconds, person)):
            records.append(Frame(ZERO + k * 20_000 + 40_000, audio, k * 960, True, False, payload))
        for second in range(seconds):
            ntp, at = (10_000 + second) << 32, ZERO + second * 1_000_000 + 30_000
            records.append(ClockReport(at, video, ntp, second * 90_000))
            records.append(ClockReport(at, audio, ntp, second * 48_000))
    records.sort(key=lambda record: record.at)
    end = ZERO + seconds * 1_000_000
    return [Session(ZERO, "EG_bench"), Begin(ZERO), *[r for r in records if r.at <= end], Stop(end, "bench")]
