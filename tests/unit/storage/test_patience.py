from __future__ import annotations

import asyncio

import pytest

from storage.patience import unless_stalled


async def test_what_moves_may_take_its_time() -> None:
    moved = 0
    async with unless_stalled(lambda: moved, 1.0):
        for _ in range(15):
            await asyncio.sleep(0.1)
            moved += 1


async def test_what_stands_still_is_given_up() -> None:
    moved = 0
    with pytest.raises(TimeoutError):
        async with unless_stalled(lambda: moved, 0.1):
            await asyncio.sleep(0.05)
            moved += 1
            await asyncio.Event().wait()


async def test_nothing_goes_on_behind_the_block() -> None:
    asked = 0

    def count() -> int:
        nonlocal asked
        asked += 1
        return asked

    async with unless_stalled(count, 0.1):
        await asyncio.sleep(0.02)
    before = asked
    await asyncio.sleep(0.05)
    assert asked == before
