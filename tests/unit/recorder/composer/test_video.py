"""Decoding ahead shows the same pictures at the same times as decoding when they are due."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from meet.recorder.composer import video as video_module
from meet.recorder.composer.clock import SenderClock, TrackClock
from meet.recorder.composer.video import VideoTrack
from meet.recorder.journal.records import Frame
from tests.unit.recorder import synthetic
from tests.unit.recorder.synthetic import ZERO


def tick(k: int) -> int:
    """Between two frames, so that each tick finds one more."""
    return ZERO + k * 1_000_000 // 30 + 5_000


def track(seconds: float, *, drop: range = range(0), live: bool = False) -> VideoTrack:
    """A camera all of whose frames have arrived, with a key frame every second."""
    clock = TrackClock(90_000, SenderClock())
    video, gap = VideoTrack("vp8", clock, live=live), False
    for k, coded in enumerate(synthetic.video("VP8", seconds)):
        if k in drop:
            gap = True
            continue
        frame = Frame(ZERO + coded.at_us, 1, coded.at_us * 9 // 100, coded.key, gap, coded.payload)
        clock.arrived(frame.rtp, frame.at)
        video.push(frame)
        gap = False
    return video


def watch(
    video: VideoTrack, ticks: int, ahead: int, hidden: range = range(0), begins: int = 0
) -> list[npt.NDArray[np.uint8] | None]:
    """The picture at every tick, None where there is no new one; hidden: ticks at which nobody looks."""
    seen: list[npt.NDArray[np.uint8] | None] = []
    for k in range(begins, ticks):
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


@pytest.mark.parametrize("live", [True, False])
def test_hidden_in_the_middle_of_a_turn_it_comes_back_as_if_it_had_been_seen(live: bool) -> None:
    always = watch(track(2, live=live), 60, 8)
    pictures = watch(track(2, live=live), 60, 8, hidden=range(12, 20))
    assert pictures[11] is not None and all(picture is None for picture in pictures[12:20])
    assert same(pictures[20:], always[20:]), "at once, without a key frame"


def test_hidden_for_long_it_waits_for_the_key_frame_that_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(video_module, "_MAX_HIDDEN", 500)
    always, video = watch(track(2), 60, 0), track(2, live=True)
    pictures = watch(video, 26, 0, hidden=range(5, 25))
    assert pictures[4] is not None and pictures[25] is None and video.picture is None, "nothing of another time"
    pictures += watch(video, 60, 0, begins=26)
    assert same(pictures[31:], always[31:])


def test_hidden_for_long_it_is_decoded_where_nothing_can_be_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Composed afterwards: there may be one key frame in an hour."""
    monkeypatch.setattr(video_module, "_MAX_HIDDEN", 500)
    assert same(watch(track(2), 60, 8, hidden=range(5, 25))[25:], watch(track(2), 60, 8)[25:])


def test_a_loss_while_it_is_hidden_is_not_decoded_over() -> None:
    pictures = watch(track(2, drop=range(15, 17)), 60, 0, hidden=range(12, 20))
    assert pictures[20] is not None, "as it was before the loss"
    assert all(picture is None for picture in pictures[21:30]) and pictures[31] is not None
