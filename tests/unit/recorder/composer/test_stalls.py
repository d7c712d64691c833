"""Clocks that stand still, are set, or lie, and networks that hold back: where sound and picture end up."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pytest

from meet.recorder.composer.audio import MIX_DELAY_US, AudioTrack, Mixer
from meet.recorder.composer.clock import SenderClock, TrackClock
from meet.recorder.composer.opus import RATE, Samples
from meet.recorder.journal.records import Frame
from tests.unit.recorder.synthetic import ZERO

PACKET = RATE // 50
FROM_S = 20.0
"""When something happens."""
LENGTH_S = 38.0
_EVERY = 16


class Numbers:
    """A decoder whose samples are the packet's number, so that the mix tells where each one was put."""

    def length(self, payload: bytes) -> int:
        return PACKET

    def decode(self, payload: bytes) -> Samples:
        return np.full((2, PACKET), int(payload) / 1e4, np.float32)

    def recover(self, following: bytes, length: int) -> Samples:
        return np.zeros((2, length), np.float32)

    def conceal(self, length: int) -> Samples:
        return np.zeros((2, length), np.float32)


def steady(_: float) -> float:
    return 0.03


@dataclass
class World:
    """One publisher; times are seconds. stall: for how long, from FROM_S on, there is no microphone and its RTP time
    stands still. path: delay of what is sent at a time. wall: its clock minus ours. late: how wrong a report is."""

    stall: float = 0.0
    path: Callable[[float], float] = steady
    wall: Callable[[float], float] = field(default=lambda _: 0.0)
    late: Callable[[float], float] = field(default=lambda _: 0.0)
    reports: bool = True
    behind: float = 0.02
    """How much slower than sound pictures are."""
    sound: list[tuple[float, float]] = field(default_factory=list)
    """(captured, where it lies in the mix)"""
    picture: list[tuple[float, float]] = field(default_factory=list)
    """(captured, shown)"""
    targets: list[float] = field(default_factory=list)
    """Where captured time 0 would lie by the sound's clock."""
    gaps: int = 0

    def run(self) -> World:
        sender = SenderClock()
        hearing, seeing = TrackClock(RATE, sender), TrackClock(90_000, sender)
        track, mixer, waiting = AudioTrack(hearing, Numbers()), Mixer(), deque[tuple[float, int]]()
        captured: list[float] = []
        mixed: list[Samples] = []
        turn = 0.3
        for now, event in sorted(self._sent(), key=lambda sent: sent[0]):
            while turn <= now:  # the composer's turns, 300 ms behind
                until = max(round((turn - 0.3 - MIX_DELAY_US / 1e6) * RATE), mixer.position)
                mixed.append(mixer.mix([track], until - mixer.position))
                while waiting and (due := (seeing.map(waiting[0][1]) - ZERO) / 1e6) <= turn - 0.3:
                    self.picture.append((waiting.popleft()[0], max(due, turn - 0.3 - 8 / 30)))
                turn += 8 / 30
            at, (kind, t, rtp) = ZERO + round(now * 1e6), event
            if kind == "sound":
                hearing.arrived(rtp, at)
                track.push(Frame(at, 1, rtp, True, False, b"%d" % (len(captured) + 100)), ZERO)
                captured.append(t)
                self.targets.append((hearing.target(rtp) - ZERO) / 1e6 - t)
            elif kind == "picture":
                seeing.arrived(rtp, at)
                waiting.append((t, rtp))
            else:
                clock = hearing if kind == "sound report" else seeing
                clock.report(round((1000 + t + self.wall(t)) * 2**32), rtp, at)
        mixed.append(mixer.mix([track], max(round((LENGTH_S - 0.3) * RATE) - mixer.position, 0)))
        numbers = np.rint(np.concatenate(mixed, axis=1)[0, ::_EVERY] * 1e4).astype(int) - 100
        found, first = np.unique(numbers, return_index=True)
        heard = {int(n): int(f) for n, f in zip(found, first, strict=True) if 0 <= n < len(captured)}
        self.sound = [(captured[n], f * _EVERY / RATE) for n, f in heard.items()]
        self.gaps = track.gaps
        return self

    def _sent(self) -> list[tuple[float, tuple[str, float, int]]]:
        events: list[tuple[float, tuple[str, float, int]]] = []
        sent = 0.0
        for k in range(int(LENGTH_S * 50)):
            t = k / 50 + 0.001
            lost = min(max(t - FROM_S, 0.0), self.stall)
            if not FROM_S <= t < FROM_S + self.stall:
                sent = max(sent, t + self.path(t))  # the receiver has put them in order
                events.append((sent, ("sound", t, round((t - lost) * RATE))))
            if k % 250 == 133 and self.reports:
                rtp = round((t - lost - self.late(t)) * RATE)
                events.append((t + self.path(t), ("sound report", t, rtp)))
        sent = 0.0
        for k in range(int(LENGTH_S * 30)):
            t = k / 30
            sent = max(sent, t + self.path(t) + self.behind)
            events.append((sent, ("picture", t, round(t * 90_000))))
            if k % 30 == 7 and self.reports:
                events.append((t + self.path(t), ("picture report", t, round(t * 90_000))))
        return events

    def apart(self, since: float = 0.0, until: float = LENGTH_S) -> npt.NDArray[np.float64]:
        """Sound minus picture of what was captured at the same time."""
        captured, shown = np.array(self.picture).T
        when, where = np.array([s for s in self.sound if max(since, 0.5) <= s[0] < min(until, captured[-1])]).T
        result: npt.NDArray[np.float64] = (where - when) - np.interp(when, captured, shown - captured)
        return result

    def heard_s(self, since: float, until: float) -> float:
        """How much of the sound captured in between is in the mix."""
        return sum(since <= t < until for t, _ in self.sound) / 50


@pytest.mark.parametrize(("stall", "reports"), [(0.3, True), (0.5, False), (0.5, True), (1.5, True), (8.0, True)])
def test_nothing_is_lost_when_the_microphone_was_away(stall: float, reports: bool) -> None:
    """Chromium's RTP time of sound counts samples: whenever a microphone is taken again it has stood still."""
    world = World(stall=stall, reports=reports).run()
    assert world.heard_s(1, FROM_S) == pytest.approx(FROM_S - 1, abs=0.05)
    after = FROM_S + stall
    assert world.heard_s(after, LENGTH_S - 1) == pytest.approx(LENGTH_S - 1 - after, abs=0.1)
    assert np.abs(world.apart()).max() <= 0.08
    assert world.gaps == 1


@pytest.mark.parametrize("stall", [0.12, 0.24, 0.095])
def test_a_short_absence_is_found_out_before_it_is_mixed(stall: float) -> None:
    """Or is so short that it may be heard for the 30 s in which what was before it counts."""
    world = World(stall=stall).run()
    assert world.heard_s(1, LENGTH_S - 1) >= LENGTH_S - 2.1 - stall
    assert np.abs(world.apart()).max() <= (0.08 if stall > 0.1 else 0.1)


@pytest.mark.parametrize(("slower", "reports"), [(0.4, True), (1.0, False), (2.5, True)])
def test_a_path_that_gets_slower_for_good_is_followed(slower: float, reports: bool) -> None:
    """What was sent before arrives before; then nothing for as long as the path got longer."""
    world = World(path=lambda t: 0.03 + (slower if t >= FROM_S else 0), reports=reports).run()
    assert world.heard_s(FROM_S, LENGTH_S - 4) == pytest.approx(LENGTH_S - 4 - FROM_S, abs=0.4)
    assert np.abs(world.apart(until=FROM_S - 0.1)).max() <= 0.08
    assert np.abs(world.apart(since=FROM_S + 1.0)).max() <= 0.15
    assert abs(float(np.median(world.apart(since=FROM_S)))) <= 0.08


@pytest.mark.parametrize(("rate", "reports"), [(1.5, True), (2.0, False), (50.0, True)])
def test_a_burst_of_delay_moves_nothing(rate: float, reports: bool) -> None:
    """The network holds everything back for a second and works it off at `rate` times real time."""

    def path(t: float) -> float:
        held = FROM_S <= t < FROM_S + rate / (rate - 1)
        return 0.03 + (1 - (t - FROM_S) * (rate - 1) / rate if held else 0)

    world = World(path=path, reports=reports).run()
    before = [where - when for when, where in world.sound if 10 < when < FROM_S]
    after = [where - when for when, where in world.sound if when > FROM_S + 3]
    assert max(world.targets[500:]) - min(world.targets[500:]) <= 0.005
    assert np.ptp(before + after) <= 0.01
    assert world.heard_s(1, LENGTH_S - 1) == pytest.approx(LENGTH_S - 2, abs=0.05), "nothing is lost"
    assert world.gaps == 0
    assert np.abs(world.apart(since=FROM_S + 3)).max() <= 0.08


@pytest.mark.parametrize(
    "held",
    [((0, 330), (336, 766)), ((0, 300), (310, 610), (620, 920)), tuple((330 * k, 330 * k + 300) for k in range(4))],
)
def test_bursts_of_delay_that_follow_each_other_move_nothing(held: tuple[tuple[int, int], ...]) -> None:
    """Nothing passes in these milliseconds; in between and after them, five times as much as is sent."""
    delays, passed = [], 0.0
    for ms in range(int(LENGTH_S * 1000)):
        passed = max(float(ms), passed + 0.2)
        for begins, ends in held:
            if FROM_S * 1000 + begins <= passed < FROM_S * 1000 + ends:
                passed = FROM_S * 1000 + ends
        delays.append((passed - ms) / 1000)
    world = World(path=lambda t: 0.03 + delays[int(t * 1000)]).run()
    assert max(delays) > 0.6
    assert max(world.targets[500:]) - min(world.targets[500:]) <= 0.005
    assert world.heard_s(1, LENGTH_S - 1) == pytest.approx(LENGTH_S - 2, abs=0.05), "nothing is lost"
    assert world.gaps == 0


@pytest.mark.parametrize("step", [-2.0, -0.6, 2.0])
def test_a_publisher_may_set_its_clock(step: float) -> None:
    world = World(wall=lambda t: step if t >= FROM_S else 0.0).run()
    assert world.heard_s(1, LENGTH_S - 1) == pytest.approx(LENGTH_S - 2, abs=0.05)
    assert np.abs(world.apart()).max() <= 0.08
    assert world.gaps == 0


@pytest.mark.parametrize(
    ("wrong", "late"),
    [
        *((range(1), 0.32), (range(2), 0.12), (range(2), 0.24), (range(2), 0.32)),
        *((range(3, 6), 0.2), (range(3, 6), 0.32), (range(0, 9, 3), 0.32), (range(0, 9, 2), 0.24)),
    ],
)
def test_reports_of_a_busy_publisher_are_seen_through(wrong: range, late: float) -> None:
    """It takes the RTP time of its last packet for that of now."""
    world = World(late=lambda t: late if int(t / 5) in wrong else 0.0).run()
    # What is less than a slow camera's delay can be told from one only by the first right report.
    assert np.abs(world.apart()).max() <= (late + 0.01 if len(wrong) > 1 and late < 0.13 else 0.08)
    assert world.gaps == 0


@pytest.mark.parametrize("behind", [0.14, 0.3])
def test_a_slow_camera_is_known_by_its_reports(behind: float) -> None:
    """What its pictures are slower by than the sound shows until there are two reports of each, three if it is much."""
    world = World(behind=behind).run()
    assert np.abs(world.apart(until=13)).max() <= behind + 0.01
    assert np.abs(world.apart(since=13 + max(behind - 0.14, 0) / 0.05)).max() <= 0.08


def test_jitter_is_no_step() -> None:
    rng = np.random.default_rng(5)
    jitter = rng.uniform(0, 0.12, 100_000)
    world = World(path=lambda t: 0.03 + jitter[int(t * 1000)]).run()
    assert max(world.targets[500:]) - min(world.targets[500:]) <= 0.03
    assert world.gaps == 0
    assert np.abs(world.apart(since=5)).max() <= 0.08


def test_all_that_is_late_is_heard_late() -> None:
    """A network that gets slower and slower for three seconds and faster again: there is no transit to believe in."""

    def path(t: float) -> float:
        return 0.03 + max(0.0, 1.5 - abs(t - FROM_S - 1.5))

    world = World(path=path).run()
    assert world.heard_s(FROM_S, FROM_S + 3) > 1.0
    assert world.heard_s(FROM_S + 6, LENGTH_S - 1) == pytest.approx(LENGTH_S - FROM_S - 7, abs=0.05)
    assert np.abs(world.apart(since=FROM_S + 6)).max() <= 0.08
    assert world.gaps >= 1
