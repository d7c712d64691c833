"""How fast two things drift apart, and how sure that is."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

_NORMAL_95: float = 1.96


def drift(at: npt.NDArray[np.float64], apart: npt.NDArray[np.float64], block: int) -> tuple[float, float]:
    """Theil-Sen slope of `apart` over `at` (both s) in s per hour, and half of its 95 % interval (Sen 1968: what
    Kendall's tau leaves possible). It is fitted to the medians of `block` marks in a row, as neighbours err together;
    one in four may be anything. The interval is infinite for fewer than five blocks."""
    blocks = len(at) // block
    if blocks < 5:
        return 0.0, math.inf
    times = np.median(at[: blocks * block].reshape(blocks, block), axis=1) / 3600
    values = np.median(apart[: blocks * block].reshape(blocks, block), axis=1)
    first, second = np.triu_indices(blocks, 1)
    slopes = np.sort((values[second] - values[first]) / (times[second] - times[first]))
    spread = _NORMAL_95 * math.sqrt(blocks * (blocks - 1) * (2 * blocks + 5) / 18)
    low = max(math.floor((len(slopes) - spread) / 2), 0)
    high = min(math.ceil((len(slopes) + spread) / 2), len(slopes) - 1)
    return float(np.median(slopes)), float(slopes[high] - slopes[low]) / 2
