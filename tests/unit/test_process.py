"""How our processes end, and what their garbage collector looks at."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
from collections.abc import Iterator

import pytest

from meet.process import freeze, told_to_end


@pytest.fixture
def collector() -> Iterator[None]:
    thresholds = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*thresholds)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_tells_to_end(number: signal.Signals) -> None:
    told = told_to_end()
    assert not told.is_set()
    os.kill(os.getpid(), number)
    await asyncio.wait_for(told.wait(), 40)


def test_what_was_there_at_the_start_is_out_of_the_collectors_sight(collector: None) -> None:
    there: list[list[object]] = [[]]
    freeze(800, 7, 3)
    assert gc.get_threshold() == (800, 7, 3)
    assert gc.get_freeze_count() > 0
    assert not any(seen is there for seen in gc.get_objects())
    later = [there]
    assert any(seen is later for seen in gc.get_objects())
