"""What is too loud is turned down before it comes: the sum of several people must fit into full scale.

One gain for all channels, a line with corners every 1.3 ms. It begins to fall `AHEAD` samples before what is too
loud, stays for a while, so that it does not follow the waves of a deep voice, and comes back slowly. All of it follows
from the samples and their place alone: how many are handed over at a time makes no difference.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from meet.recorder.composer.opus import RATE, Samples

CEILING: Final = 0.97
"""-0.3 dB: what encoders add by their coding shall fit in, too."""
GRAIN: Final = 64
"""Samples from one corner of the line to the next."""
_FALL: Final = 4
"""Grains (5.3 ms) in which it may fall from 1 to anything."""
AHEAD: Final = _FALL * GRAIN
_STAYS: Final = RATE // GRAIN // 40
"""Grains (25 ms, a wave of 40 Hz) before it rises."""
_RISE_S: Final = 0.15
_KEPT: Final = float(np.exp(-GRAIN / (RATE * _RISE_S)))
"""What is left of the way to 1 after one grain."""
_NEGLIGIBLE: Final = 1e-3
_LINE: Final = np.arange(GRAIN, dtype=np.float32) / np.float32(GRAIN)


class Limiter:
    """The gain of one stream, from its first sample on."""

    def __init__(self) -> None:
        self._gain: float | None = None
        """At the end of what was limited last; None at the beginning."""
        self._stays = 0

    def limit(self, sound: Samples) -> None:
        """Turn down, in place, all but the last `AHEAD` samples, which come again, first, in the next call. The length
        is a multiple of GRAIN, and more than AHEAD."""
        if self._gain in (None, 1.0) and max(sound.max(), -sound.min()) <= CEILING:
            self._gain = 1.0
            return
        length = sound.shape[1] - AHEAD
        corners = np.array(self._corners(sound), np.float32)
        rises = np.diff(corners)
        sound[:, :length] *= (corners[:-1, None] + rises[:, None] * _LINE).ravel()

    def _corners(self, sound: Samples) -> list[float]:
        """The gain where the grains begin that are limited now, and where the last one ends."""
        peaks = np.abs(sound).reshape(sound.shape[0], -1, GRAIN).max(axis=(0, 2)).astype(np.float64)
        needed = np.minimum(CEILING / np.maximum(peaks, CEILING), 1.0)
        before, wanted = self._gain, _falling(np.minimum(needed[:-1], needed[1:]))
        gain = float(_falling(needed)[0]) if before is None else before
        corners = [gain]
        for target in wanted.tolist():
            if target <= gain:
                gain, self._stays = target, _STAYS
            elif self._stays:
                self._stays -= 1
            else:
                gain = min(target, 1 - (1 - gain) * _KEPT)
                gain = gain if gain < 1 - _NEGLIGIBLE else 1.0
            corners.append(gain)
        self._gain = gain
        return corners


def _falling(most: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """What the gain may be at each corner but the last so as to be at most `most` there and at those that follow."""
    count = len(most) - _FALL + 1
    ways = [most[k : k + count] + (1 - most[k : k + count]) * (k / _FALL) for k in range(_FALL)]
    result: npt.NDArray[np.float64] = np.minimum.reduce(ways)
    return result
