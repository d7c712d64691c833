"""What probes are told of a store, and how often that asks it to take something."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from storage import StorageMisconfigured, StorageUnavailable, StoreProbe


class Store:
    """A store that counts who asks it."""

    def __init__(self) -> None:
        self.asked: list[bool] = []
        self.away = self.read_only = False
        self.answers = asyncio.Event()
        self.answers.set()

    async def check(self, *, writing: bool = False) -> None:
        self.asked.append(writing)
        await self.answers.wait()
        if self.away:
            raise StorageUnavailable("away")
        if writing and self.read_only:
            raise StorageMisconfigured("CreateMultipartUpload is not allowed")


class Probe(StoreProbe):
    """With a clock that is set."""

    def __init__(self, store: Any) -> None:
        super().__init__(store, every_s=60, refused_s=10, clock=lambda: self.now)
        self.now = 0.0


async def test_writing_is_tried_once_a_minute() -> None:
    store = Store()
    probe = Probe(store)
    for probe.now in (0, 10, 59, 60, 61):  # the clock
        await probe.check()
    assert store.asked == [True, False, False, True, False]


async def test_a_permission_that_goes_and_comes_back() -> None:
    store = Store()
    probe = Probe(store)
    store.read_only = True
    for probe.now in (0, 1, 9):
        with pytest.raises(StorageMisconfigured):
            await probe.check()
    assert store.asked.count(True) == 1
    store.read_only, probe.now = False, 10
    await probe.check()
    store.read_only, probe.now = True, 69
    await probe.check()
    probe.now = 70
    with pytest.raises(StorageMisconfigured):
        await probe.check()


async def test_a_store_that_is_away_is_told_at_once() -> None:
    store = Store()
    probe = Probe(store)
    await probe.check()
    store.away, probe.now = True, 1
    with pytest.raises(StorageUnavailable):
        await probe.check()
    store.away = False
    await probe.check()


async def test_what_is_begun_is_ended_and_not_begun_twice() -> None:
    """An upload that nobody aborts would stay in the bucket."""
    store = Store()
    probe = Probe(store)
    store.answers.clear()
    impatient, other = asyncio.create_task(probe.check()), asyncio.create_task(probe.check())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    impatient.cancel()
    with pytest.raises(asyncio.CancelledError):
        await impatient
    store.answers.set()
    await other
    assert store.asked == [True]
