"""What our long-running processes have in common: they end when told to, and spare the garbage collector."""

from __future__ import annotations

import asyncio
import gc
import signal


def told_to_end() -> asyncio.Event:
    """Set at SIGTERM or SIGINT from now on. To be called inside the event loop."""
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    return told


def freeze(young: int, middle: int, old: int) -> None:
    """Call after the start: what exists now lives as long as the process, and is never walked during its work again.

    young, middle, old: the collector's thresholds from then on (`gc.set_threshold`).

    The second collection is what makes the collector forget that those objects were there. It looks at old garbage only
    when a quarter as many objects have been added as it counted last; with the quarter million of the start in that
    number, participants who left a media process stayed for hundreds of joins.
    """
    gc.collect()
    gc.freeze()
    gc.collect()
    gc.set_threshold(young, middle, old)
