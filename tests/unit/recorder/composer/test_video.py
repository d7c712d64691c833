"""Decoding ahead shows the same pictures at the same times as decoding when they are due."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from meet.recorder.composer.clock import SenderClock, TrackClock
from meet.recorder.composer.video import VideoTrack
from meet.recorder.journal.records import Frame
from tests.unit.recorder import synthetic
from tests.unit.recorder.synthetic import ZERO


def tick(k: int) -> int:
    """Between two frames, so that each tick finds one more."""
    return ZERO + k * 1_000_000 // 30 + 5_000


def track(seconds: float, *, drop: range = range(0)) -> VideoTrack:
    """A camera all of whose frames have arrived, with a key frame every second."""
    clock = TrackClock(90_000, SenderClock())
    video, gap = VideoTrack("vp8", clock), False
    for k, coded in enumerate(synthetic.video("VP8", seconds)):
        if k in drop:
            gap = True
            continue
        frame = Frame(ZERO + coded.at_us, 1, coded.at_us * 9 // 100, coded.key, gap, coded.payload)
        clock.arrived(frame.rtp, frame.at)
        video.push(frame)
        gap = False
    return video


def watch(video: VideoTrack, ticks: int, ahead: int, hidden: range = range(0)) -> list[npt.NDArray[np.uint8] | None]:
    """The picture at every tick, None where there is no new one; hidden: ticks at which nobody looks."""
    seen: list[npt.NDArray[np.uint8] | None] = []
    for k in range(ticks):
        if ahead and k % ahead == 0:
            video.decode_ahead(tick(k + ahead) - 1)
        fresh = video.advance(tick(k), shown=k not in hidden)
        picture = video.picture
        seen.append(picture.to_ndarray().astype(np.uint8) if fresh and picture is not None else None)
    return seen


def same(one: list[npt.NDArray[np.uint8] | None], other: list[npt.NDArray[np.uint8] | None]) -> bool:
    return len(one) == len(other) and all(
        a is b if a is None or b is None else bool((a == b).all()) for a, b in zip(one, other, strict=True)
    )


def test_ahead_is_the_same() -> None:
    in_time = watch(track(2), 60, 0)
    assert sum(picture is not None for picture in in_time) > 55
    assert same(in_time, watch(track(2), 60, 8))


def test_losses_are_the_same() -> None:
    in_time, ahead = track(2, drop=range(10, 12)), track(2, drop=range(10, 12))
    pictures = watch(in_time, 60, 0)
    assert all(picture is None for picture in pictures[13:29])
    assert same(pictures, watch(ahead, 60, 8))
    assert in_time.gaps == ahead.gaps == 1


def test_hidden_in_the_middle_of_a_turn_it_comes_back_with_a_key_frame() -> None:
    pictures = watch(track(2), 60, 8, hidden=range(12, 20))
    assert pictures[11] is not None and all(picture is None for picture in pictures[12:29])
    assert all(picture is not None for picture in pictures[32:])
