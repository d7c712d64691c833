"""Round trips measured from reports, and what a try of a better layer is judged by."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from meet.media.sfu.downtrack import DownTrack
from meet.media.sfu.path import PathState, RoundTrips
from meet.media.sfu.track import Track
from meet.media.sfu.trial import Trial, Verdict
from tests.unit.media.fakes import Clock, FakePeer


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def down(clock: Clock) -> DownTrack:
    track = Track(FakePeer(clock).as_peer(), sid="TR", kind="video", codec="VP8", cname="PA", clock_rate=90000)
    stream = track.bind(1, "")
    stream.bitrate = 100_000
    made = DownTrack(track, FakePeer(clock).as_peer(), pt=96, clock=clock)
    made.current = stream
    return made


def report(down: DownTrack, **fields: Any) -> Any:
    return SimpleNamespace(**{"ssrc": down.ssrc, "fraction_lost": 0, "lsr": 0, "dlsr": 0, **fields})


def test_round_trip_of_a_forwarded_sender_report(down: DownTrack, clock: Clock) -> None:
    """The report carries the publisher's time; what counts is when we passed it on (RFC 3550 section 6.4.1)."""
    ntp = 0xDEADBEEF_12345678
    stream = down.current
    assert stream is not None
    stream.sender_report = (ntp, 1000)
    down.on_source_report(stream)
    clock.now += 0.75
    down.on_report(report(down, lsr=1, dlsr=0))  # of another report
    assert down.round_trip is None
    down.on_report(report(down, lsr=0xBEEF1234, dlsr=int(0.5 * 65536)))
    assert down.round_trip == (pytest.approx(0.25), clock.now)


def test_late_packets_are_told_from_a_long_path(down: DownTrack, clock: Clock) -> None:
    trips = RoundTrips()
    assert trips.delayed(clock.now, [down]) is None
    for seconds, expected in ((0.2, False), (0.25, False), (0.4, True), (0.21, False)):
        down.round_trip = (seconds, clock.now)
        assert trips.delayed(clock.now, [down]) is expected
    assert trips.delayed(clock.now + 4, [down]) is None


def test_a_path_that_got_longer_for_good_is_no_queue_for_ever(down: DownTrack, clock: Clock) -> None:
    trips = RoundTrips()
    for seconds, rounds in ((0.02, 4), (0.3, 4000)):
        for _ in range(rounds):
            down.round_trip = (seconds, clock.now)
            late = trips.delayed(clock.now, [down])
    assert late is False


def state(**fields: Any) -> PathState:
    known: dict[str, Any] = {"used": 500_000, "estimate": 200_000, "repairs": 0.0, "lossy": False, "delayed": None}
    return PathState(**{**known, **fields})


@pytest.mark.parametrize(
    ("fields", "after_s", "verdict"),
    [
        ({}, 1.0, Verdict.OPEN),
        ({"lossy": True}, 0.25, Verdict.FAILED),
        ({"delayed": True}, 0.25, Verdict.FAILED),
        ({"repairs": 0.2}, 0.25, Verdict.FAILED),
        ({"repairs": 0.13}, 2.0, Verdict.OPEN),  # hardly more than before
        ({"estimate": 150_000}, 0.25, Verdict.FAILED),
        ({"estimate": 220_000}, 2.0, Verdict.PASSED),
        ({"estimate": 450_000}, 2.0, Verdict.PASSED),
        ({"delayed": False}, 1.0, Verdict.OPEN),
        ({"delayed": False}, 2.0, Verdict.PASSED),
        ({"estimate": None}, 2.0, Verdict.PASSED),
        ({}, 3.5, Verdict.FAILED),  # it stands still, and nothing else is known
    ],
)
def test_verdicts(down: DownTrack, fields: dict[str, Any], after_s: float, verdict: Verdict) -> None:
    trial = Trial(down, 0, 100.0, 200_000, repairs=0.05)
    assert trial.judge(100.0 + after_s, state(**fields)) is verdict
