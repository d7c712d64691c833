"""Loss detection, NACK timing and report statistics with a fake clock."""

from __future__ import annotations

from meet.media.sfu.receive import ReceiverStats, SequenceTracker


def filled(*numbers: int, nack: bool = True, now: float = 10.0) -> SequenceTracker:
    tracker = SequenceTracker(nack=nack)
    for number in numbers:
        tracker.add(number, now)
    return tracker


def test_a_gap_is_asked_for_after_a_moment_and_again_later() -> None:
    tracker = filled(1, 2, 5)
    assert tracker.due(10.0, 0.05) == []
    assert tracker.due(10.02, 0.05) == [3, 4]
    assert tracker.due(10.05, 0.05) == []
    assert tracker.due(10.09, 0.05) == [3, 4]


def test_late_and_repaired_packets_are_not_asked_for() -> None:
    tracker = filled(1, 5)
    tracker.add(3, 10.01)
    assert tracker.repaired(4)
    assert not tracker.repaired(4)
    assert tracker.due(10.1, 0.05) == [2]


def test_it_gives_up_and_says_so() -> None:
    tracker = filled(1, 3)
    assert tracker.due(10.1, 0.0) == [2]
    assert tracker.due(11.2, 0.0) == []
    assert tracker.overrun
    assert not tracker.has_missing


def test_tries_are_bounded() -> None:
    tracker = filled(1, 3)
    asked = sum(len(tracker.due(10.02 + i * 0.04, 0.0)) for i in range(20))
    assert asked == 8


def test_a_huge_gap_is_not_repaired() -> None:
    tracker = filled(1, 2, 1000)
    assert tracker.overrun
    assert tracker.due(10.5, 0.0) == []


def test_wrap_around() -> None:
    tracker = filled(65_534, 1)
    assert tracker.due(10.1, 0.0) == [65_535, 0]
    assert tracker.cycles == 0x10000


def test_audio_is_not_asked_for_again() -> None:
    assert filled(1, 9, nack=False).due(10.5, 0.0) == []


def test_newest_duplicate_is_refused() -> None:
    tracker = filled(1, 2)
    assert not tracker.add(2, 10.0)


def test_interval_loss_and_totals() -> None:
    tracker, stats = filled(100), ReceiverStats(90000)
    for number in range(101, 200):
        if number % 10:
            tracker.add(number, 10.0)
    fraction, lost, highest = stats.interval(tracker)
    assert (fraction, lost, highest) == ((9 << 8) // 100, 9, 199)
    for number in range(200, 250):
        tracker.add(number, 10.0)
    assert stats.interval(tracker) == (0, 9, 249)


def test_jitter_of_an_even_stream_is_zero_and_grows_with_disorder() -> None:
    even, uneven = ReceiverStats(90000), ReceiverStats(90000)
    for i in range(50):
        even.arrival(i * 3000, i / 30)
        uneven.arrival(i * 3000, i / 30 + (0.01 if i % 2 else 0.0))
    assert even.jitter < 1
    assert uneven.jitter > 500
