"""Python's garbage collector in a media process."""

from __future__ import annotations

import gc
from typing import Final

_THRESHOLDS: Final = (700, 10, 4)
"""The last one less than Python's 10: those who left are found after some hundred joins, not some hundreds."""


def freeze() -> None:
    """Call after the start: what exists now lives as long as the process, and is never walked during media again.

    The second collection is what makes the collector forget that those objects were there. It looks at old garbage only
    when a quarter as many objects have been added as it counted last; with the quarter million of the start in that
    number, participants who left stayed for hundreds of joins.
    """
    gc.collect()
    gc.freeze()
    gc.collect()
    gc.set_threshold(*_THRESHOLDS)
