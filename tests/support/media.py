"""Judge a recording by its content: decode all of it, find flashes, beeps and motion."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Decoded:
    """A completely decoded file. Times are seconds from the start of the file."""

    frame_times: npt.NDArray[np.float64]
    luma: npt.NDArray[np.uint8]
    """frames x rows x columns, every 8th pixel unless `decode` was told otherwise."""
    samples: npt.NDArray[np.float32]
    sample_rate: int
    audio_start: float
    width: int
    height: int
    video_codec: str
    audio_codec: str

    @property
    def video_s(self) -> float:
        """Length of the picture."""
        return float(self.frame_times[-1] - self.frame_times[0] + np.median(np.diff(self.frame_times)))

    @property
    def audio_s(self) -> float:
        """Length of the sound."""
        return len(self.samples) / self.sample_rate


def decode(path: Path, every: int = 8) -> Decoded:
    """Decode every frame of `path`, keeping every so-manieth pixel. Raises av.FFmpegError on a damaged one."""
    times: list[float] = []
    pictures: list[npt.NDArray[np.uint8]] = []
    sounds: list[npt.NDArray[np.float32]] = []
    audio_start: float | None = None
    with av.open(str(path)) as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        video.thread_type = "SLICE"
        for packet in container.demux(video, audio):
            for frame in packet.decode():
                if isinstance(frame, av.VideoFrame):
                    times.append(float(frame.time or 0))
                    plane = frame.planes[0]
                    rows = np.frombuffer(bytes(plane), np.uint8).reshape(plane.height, plane.line_size)
                    pictures.append(rows[::every, : plane.width : every].copy())
                elif isinstance(frame, av.AudioFrame):
                    if audio_start is None:
                        audio_start = float(frame.time or 0)
                    data = frame.to_ndarray().astype(np.float32)
                    sounds.append(data.mean(axis=0) if data.ndim == 2 else data)
        return Decoded(
            np.array(times),
            np.stack(pictures),
            np.concatenate(sounds),
            audio.rate,
            audio_start or 0.0,
            video.width,
            video.height,
            video.codec_context.name,
            audio.codec_context.name,
        )


def decode_sound(path: Path) -> Decoded:
    """The same of a file that must not have a picture."""
    with av.open(str(path)) as container:
        assert [stream.type for stream in container.streams] == ["audio"]
        audio = container.streams.audio[0]
        frames = list(container.decode(audio))
        sounds = [frame.to_ndarray().astype(np.float32).mean(axis=0) for frame in frames]
        nothing = np.zeros((0, 0, 0), np.uint8)
        start, codec = float(frames[0].time or 0), audio.codec_context.name
        return Decoded(np.zeros(0), nothing, np.concatenate(sounds), audio.rate, start, 0, 0, "", codec)


def _onsets(times: npt.NDArray[np.float64], on: npt.NDArray[np.bool_]) -> list[float]:
    rising = np.flatnonzero(on[1:] & ~on[:-1]) + 1
    return [float(times[i]) for i in rising]


def flashes(media: Decoded, region: tuple[slice, slice] | None = None) -> list[float]:
    """Times at which the (region of the) picture turns white."""
    rows, columns = region or (slice(None), slice(None))
    white = (media.luma[:, rows, columns] > 200).mean(axis=(1, 2))
    return _onsets(media.frame_times, white > 0.5 * max(float(white.max()), 0.2))


def beeps(media: Decoded) -> list[float]:
    """Times at which a loud beep begins, to 1 ms."""
    step = media.sample_rate // 1000
    count = len(media.samples) // step
    level = np.abs(media.samples[: count * step].reshape(count, step)).max(axis=1)
    smooth = np.convolve(level, np.ones(10) / 10, "same")
    loud = smooth > 0.4 * float(np.percentile(smooth, 98))
    times = media.audio_start + np.arange(count) / 1000
    found: list[float] = []
    for onset in _onsets(times, loud):
        if not found or onset - found[-1] > 0.5:
            found.append(onset)
    return found


def av_offsets(media: Decoded, region: tuple[slice, slice] | None = None) -> list[float]:
    """For every flash with a beep nearby: beep minus flash, in seconds."""
    sounds = beeps(media)
    offsets = []
    for flash in flashes(media, region):
        nearest = min(sounds, key=lambda beep: abs(beep - flash), default=None)
        if nearest is not None and abs(nearest - flash) < 0.5:
            offsets.append(nearest - flash)
    return offsets


def moving_share(media: Decoded, region: tuple[slice, slice], step: int = 10) -> float:
    """Share of the moments, `step` frames apart, at which the region differs from the moment before."""
    part = media.luma[::step, region[0], region[1]].astype(np.int16)
    change = np.abs(np.diff(part, axis=0)).mean(axis=(1, 2))
    return float((change > 0.2).mean())
