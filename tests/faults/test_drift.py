"""The judge of a long meeting's drift."""

from __future__ import annotations

import numpy as np

from tests.faults.drift import drift


def marks(slope_s_per_hour: float, noise_s: float, outliers: int) -> tuple[float, float]:
    rng = np.random.default_rng(9)
    at = np.arange(1200, dtype=np.float64) * (1 + 1 / 900)
    apart = 0.02 + at / 3600 * slope_s_per_hour + rng.normal(0, noise_s, len(at))
    seen = -np.floor(-(at + apart) * 30) / 30 - at  # to the next thirtieth of a second
    late = slice(700, 700 + outliers)
    seen[late] += 0.3
    return drift(at, seen, 30)


def test_a_drift_is_found_and_none_is_not() -> None:
    for slope in (0.0, 0.05, -0.1):
        found, bar = marks(slope, 0.01, 0)
        assert abs(found - slope) <= bar <= 0.015


def test_a_stretch_of_outliers_is_no_drift() -> None:
    found, bar = marks(0.0, 0.01, 60)
    assert abs(found) - bar <= 0.005 and bar <= 0.03


def test_too_few_marks_tell_nothing() -> None:
    assert drift(np.arange(100.0), np.zeros(100), 30)[1] == np.inf
