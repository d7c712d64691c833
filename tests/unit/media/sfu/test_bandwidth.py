"""Layer ceilings from the browser's estimate, with a fake clock."""

from __future__ import annotations

import itertools

from meet.media.sfu.bandwidth import Bandwidth
from meet.media.sfu.downtrack import HIGHEST, DownTrack
from meet.media.sfu.track import Track
from tests.unit.media.fakes import Clock, FakePeer

RATES = {"q": 150_000, "h": 500_000, "f": 1_700_000}


class Rig:
    def __init__(self) -> None:
        self.clock = Clock()
        self.track = Track(
            FakePeer(self.clock).as_peer(), sid="TR", kind="video", codec="VP8", cname="PA", clock_rate=90000
        )
        for ssrc, (rid, rate) in enumerate(RATES.items()):
            self.track.bind(ssrc + 1, rid).bitrate = rate
        self.down = DownTrack(self.track, FakePeer(self.clock).as_peer(), pt=96, clock=self.clock)
        self.down.enabled = True
        self.down.current = self.track.layers["f"]
        self.bandwidth = Bandwidth()

    def run(self, seconds: float, estimate: int | None) -> None:
        """Estimates arrive and the allocator runs, four times a second; a lowered layer takes effect at once."""
        for _ in range(int(seconds * 4)):
            self.clock.now += 0.25
            if estimate is not None:
                self.bandwidth.on_estimate(estimate, self.clock.now)
            self.bandwidth.allocate(self.clock.now, [self.down])
            rids = [r for r, s in self.track.layers.items() if s.rank <= self.down.ceiling]
            self.down.current = self.track.layers[rids[-1]]


def test_without_estimates_nothing_is_capped() -> None:
    rig = Rig()
    rig.run(30, None)
    assert rig.down.ceiling == HIGHEST


def test_a_short_dip_is_ignored() -> None:
    rig = Rig()
    rig.run(1, 300_000)
    rig.run(5, 3_000_000)
    assert rig.down.ceiling == HIGHEST


def test_congestion_lowers_step_by_step_to_what_fits() -> None:
    rig = Rig()
    rig.run(2, 300_000)
    assert rig.down.ceiling == 1
    rig.run(2, 300_000)
    assert rig.down.ceiling == 0


def test_it_tries_again_and_backs_off_when_that_fails() -> None:
    rig = Rig()
    tries = []
    for second in range(120):
        before = rig.down.ceiling
        rig.run(1, 200_000 if rig.down.ceiling != 0 else 220_000)
        if rig.down.ceiling > before:
            tries.append(second)
    gaps = [b - a for a, b in itertools.pairwise(tries)]
    assert len(tries) >= 2
    assert gaps == sorted(gaps)
    assert gaps[-1] >= 2 * gaps[0]


def test_when_the_network_recovers_the_best_layer_comes_back() -> None:
    rig = Rig()
    rig.run(4, 300_000)
    assert rig.down.ceiling == 0
    rig.run(30, 4_000_000)
    assert rig.down.ceiling >= 2


def test_heavy_loss_counts_as_congestion() -> None:
    rig = Rig()
    rig.down.fraction_lost = 0.3
    rig.run(2, None)
    assert rig.down.ceiling == 1


def test_old_estimates_do_not_count() -> None:
    rig = Rig()
    rig.bandwidth.on_estimate(100_000, rig.clock.now)
    rig.clock.now += 6
    rig.run(10, None)
    assert rig.down.ceiling == HIGHEST
