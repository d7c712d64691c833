"""Firefox and Chromium in one room."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from meet.media.main import MediaServer
from tests.e2e.media.pages.acts import (
    HIGH,
    LOW,
    advances,
    blinks,
    choose_quality,
    holds,
    looks_away,
    mutes,
    reconnects,
    say,
)
from tests.e2e.media.pages.conftest import Enter, joining, thorough
from tests.e2e.media.pages.firefox import PATH, Firefox, FirefoxPage

pytestmark = [thorough, pytest.mark.skipif(PATH is None, reason="no Firefox here")]

EnterFirefox = Callable[..., Awaitable[FirefoxPage]]


@pytest.fixture
async def firefox() -> AsyncIterator[Firefox]:
    async with Firefox() as running:
        yield running


@pytest.fixture
def enter_firefox(firefox: Firefox, media: MediaServer) -> EnterFirefox:
    async def join(identity: str, *, single: bool, **wish: Any) -> FirefoxPage:
        page = await firefox.new_page(f"http://127.0.0.1:{media.port}/page")
        await page.evaluate("wanted => join(wanted)", joining(media, identity, single=single, **wish))
        return page

    return join


@pytest.mark.parametrize("single", [True, False], ids=["v1", "v0"])
async def test_firefox_and_chromium(enter: Enter, enter_firefox: EnterFirefox, single: bool) -> None:
    fox = await enter_firefox("fox", single=single)
    alice = await enter("alice", single=single)
    await advances(alice, "video fox", width=1280)
    await holds(alice, "() => seen.peaks['fox'] > 0.05")
    # Headless Firefox has no running AudioContext; its statistics tell what was decoded.
    await advances(fox, "video alice", width=1280)
    await holds(fox, "async () => await energy('alice') > 0.01")

    # Simulcast: each chooses a layer of the other.
    for page, other in ((fox, "alice"), (alice, "fox")):
        for quality, width in ((LOW, 320), (HIGH, 1280)):
            await choose_quality(page, quality)
            await holds(page, "([n, w]) => tiles()[n][0] === w", [f"video {other}", width])

    await say(fox, "from fox", reliable=True)
    await say(alice, "from alice", reliable=False)
    await holds(alice, "() => seen.data.join() === 'from fox,fox,t'")
    await holds(fox, "() => seen.data.join() === 'from alice,alice,t'")

    await mutes(fox, "fox", seen_by=alice)
    await blinks(alice, "alice", seen_by=fox)
    await looks_away(fox, "alice")

    for scenario in ("signal-reconnect", "full-reconnect"):
        await reconnects(fox, scenario)
        await advances(fox, "video alice")
        await advances(alice, "video fox")

    await fox.evaluate("room.disconnect()")
    await holds(alice, "() => room.remoteParticipants.size === 0")
