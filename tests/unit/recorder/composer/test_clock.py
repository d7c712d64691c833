"""RTP time to recording time, with times of our own making."""

from __future__ import annotations

from meet.recorder.composer.clock import MinimumWindow, SenderClock, TrackClock

AT = 1_790_000_000_000_000


def ntp(us: int) -> int:
    return -(-(us << 32) // 1_000_000)


def twice(clock: TrackClock, wall_us: int, rtp: int, at: int) -> None:
    """A report is believed when there are two of them."""
    clock.report(ntp(wall_us), rtp, at)
    clock.report(ntp(wall_us), rtp, at)


def test_before_any_report_the_fastest_frame_sets_the_clock() -> None:
    clock = TrackClock(90_000, SenderClock())
    for k, delay in enumerate([80_000, 20_000, 50_000]):
        clock.arrived(1000 + k * 3000, AT + k * 33_333 + delay)
    assert abs(clock.target(1000) - (AT + 20_000)) <= 2


def test_two_tracks_of_one_person_share_one_clock() -> None:
    sender = SenderClock()
    sound, picture = TrackClock(48_000, sender), TrackClock(90_000, sender)
    wall = 77_000_000
    picture.arrived(500, AT + 400_000)
    sound.arrived(900, AT + 30_000)
    twice(picture, wall, 500, AT + 25_000)
    twice(sound, wall, 900, AT + 10_000)
    assert abs(sound.target(900) - picture.target(500)) <= 2
    assert abs(sound.target(900 + 48_000) - picture.target(500 + 90_000)) <= 2
    assert abs(sound.target(900) - (AT + 30_000)) <= 2, "the faster track tells the transit time"


def test_a_report_that_the_media_server_repeats_does_not_delay() -> None:
    """On subscribing, the newest report of each track comes at once: of the sound 4 s old, of the picture 1 s."""
    sender = SenderClock()
    sound, picture = TrackClock(48_000, sender), TrackClock(90_000, sender)
    wall = 77_000_000
    twice(sound, wall, 0, AT + 4_000_000)
    picture.arrived(4 * 90_000, AT + 4_030_000)
    twice(picture, wall + 3_000_000, 3 * 90_000, AT + 4_040_000)
    sound.arrived(4 * 48_000, AT + 4_020_000)
    assert abs(picture.target(4 * 90_000) - (AT + 4_020_000)) <= 2, "the faster of the two tells the transit time"
    assert abs(sound.target(4 * 48_000) - picture.target(4 * 90_000)) <= 2


def test_a_better_estimate_is_slewed_to_never_stepped() -> None:
    clock = TrackClock(90_000, SenderClock())
    clock.arrived(0, AT + 190_000)
    assert clock.map(0) == AT + 190_000
    clock.arrived(3000, AT + 33_333 + 50_000)
    last = clock.map(0)
    for k in range(1, 200):
        now = clock.map(k * 3000)
        step = now - last
        assert 33_333 * 0.94 < step < 33_333 * 1.06
        last = now
    assert abs(last - (AT + 50_000 + 199 * 100_000 // 3)) <= 50


def test_a_jump_of_the_publishers_clock_is_followed_at_once() -> None:
    """RTP time that goes on three seconds too far, while the picture goes on as it did."""
    sender = SenderClock()
    sound, picture = TrackClock(48_000, sender), TrackClock(90_000, sender)
    for clock in (sound, picture):
        clock.arrived(0, AT)
        twice(clock, 1_000_000, 0, AT)
        clock.map(0)
    sound.arrived(960 + 3 * 48_000, AT + 20_000)
    assert abs(sound.map(960 + 3 * 48_000) - (AT + 20_000)) <= 2
    assert abs(picture.map(1800) - (AT + 20_000)) <= 2


def test_reports_outrank_arrivals() -> None:
    sender = SenderClock()
    sound, picture = TrackClock(48_000, sender), TrackClock(90_000, sender)
    sound.arrived(0, AT + 20_000)
    picture.arrived(0, AT + 110_000)
    assert picture.target(0) == AT + 110_000
    for clock in (sound, picture):
        twice(clock, 1_000_000, 0, AT)
    assert abs(picture.target(0) - (AT + 20_000)) <= 2


def test_a_track_that_ended_tells_nothing_for_long() -> None:
    sender = SenderClock()
    sound, picture = TrackClock(48_000, sender), TrackClock(90_000, sender)
    for clock, transit in ((sound, 20_000), (picture, 50_000)):
        clock.arrived(0, AT + transit)
        twice(clock, 1_000_000, 0, AT)
    for second in range(1, 40):
        picture.arrived(second * 90_000, AT + second * 1_000_000 + 50_000)
        expected = 20_000 if second < 30 else 50_000
        assert abs(picture.target(0) - (AT + expected)) <= 2, second


def test_a_report_that_contradicts_the_frames_is_not_believed() -> None:
    clock = TrackClock(90_000, SenderClock())
    clock.arrived(0, AT)
    twice(clock, 1_000_000, 90_000 * 3600, AT + 10_000)
    assert clock.target(0) == AT


def test_drift_of_a_publishers_wall_clock_is_followed() -> None:
    """An NTP clock that loses 200 ppm: an hour of it must not add up."""
    sender = SenderClock()
    clock = TrackClock(48_000, sender)
    for second in range(3600):
        wall = 1_000_000 + round(second * 1e6 * (1 - 200e-6))
        clock.arrived(second * 48_000, AT + second * 1_000_000 + 30_000)
        clock.report(ntp(wall), second * 48_000, AT + second * 1_000_000 + 20_000)
    error = clock.target(3599 * 48_000) - (AT + 3599 * 1_000_000 + 20_000)
    assert abs(error - 10_000) <= 1_000, "it arrived 10 ms after the report"


def test_the_window_forgets() -> None:
    window = MinimumWindow()
    assert window.value is None
    window.add(0, 5)
    window.add(1_000_000, 9)
    assert window.value == 5
    window.add(31_000_000, 12)
    assert window.value == 9


def test_what_drifted_away_during_a_long_pause_is_not_believed() -> None:
    """An hour at 200 ppm is 0.7 s; a pause of seconds keeps what is known."""
    for pause_us, drift_us in ((3_600_000_000, 720_000), (5_000_000, 1_000)):
        sender = SenderClock()
        clock = TrackClock(90_000, sender)
        clock.arrived(0, AT + 40_000)
        twice(clock, 1_000_000, 0, AT + 20_000)
        before = clock.map(0)
        clock.paused(pause_us)
        rtp = (pause_us + drift_us) * 9 // 100
        clock.arrived(rtp, AT + pause_us + 40_000)
        assert abs(clock.map(rtp) - (before + pause_us)) <= 1_500
        twice(clock, 1_000_000 + pause_us, rtp, AT + pause_us + 20_000)
        assert abs(clock.target(rtp) - (AT + pause_us + 40_000)) <= 1_500


def test_what_was_reported_before_a_long_silence_is_compared_with_what_comes_after_it() -> None:
    """A microphone without reports for ten minutes, while the publisher's clock was drawn half a second forward."""
    sender = SenderClock()
    sound, picture = TrackClock(48_000, sender), TrackClock(90_000, sender)
    for k in range(601):
        at, wall = AT + k * 1_000_000, 1_000_000 * (1 + k) + k * 800
        picture.arrived(k * 90_000, at + 20_000)
        picture.report(ntp(wall), k * 90_000, at)
        sound.arrived(k * 48_000, at + 20_000)
        if k < 3 or k > 590:
            sound.report(ntp(wall), k * 48_000, at)
        assert abs(sound.target(k * 48_000) - picture.target(k * 90_000)) <= 30_000 or 3 <= k <= 592
    assert abs(sound.target(600 * 48_000) - picture.target(600 * 90_000)) <= 30_000
