"""Firefox and Chromium in one room."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from meet.media.main import MediaServer
from tests.e2e.media.pages.conftest import Enter, advances, holds, joining, thorough
from tests.e2e.media.pages.firefox import PATH, Firefox, FirefoxPage
from tests.e2e.media.pages.test_meeting import SEND

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
    quality = "q => others(p => p.videoTrackPublications.forEach(t => t.setVideoQuality(q)))"
    for page, other in ((fox, "alice"), (alice, "fox")):
        for value, width in ((0, 320), (2, 1280)):
            await page.evaluate(quality, value)
            await holds(page, "([n, w]) => tiles()[n][0] === w", [f"video {other}", width])

    await fox.evaluate(SEND, ["from fox", True])
    await alice.evaluate(SEND, ["from alice", False])
    await holds(alice, "() => seen.data.join() === 'from fox,fox,t'")
    await holds(fox, "() => seen.data.join() === 'from alice,alice,t'")

    await fox.evaluate("room.localParticipant.setMicrophoneEnabled(false)")
    await holds(alice, "() => room.remoteParticipants.get('fox').isMicrophoneEnabled === false")
    await alice.evaluate("room.localParticipant.setCameraEnabled(false)")
    await holds(fox, "() => room.remoteParticipants.get('alice').isCameraEnabled === false")
    await alice.evaluate("room.localParticipant.setCameraEnabled(true)")
    await advances(fox, "video alice")

    wish = "s => others(p => p.videoTrackPublications.forEach(t => t.setSubscribed(s)))"
    await fox.evaluate(wish, False)
    await holds(fox, "() => !Object.keys(tiles()).some(n => n.startsWith('video'))")
    await fox.evaluate(wish, True)
    await advances(fox, "video alice")

    for scenario in ("signal-reconnect", "full-reconnect"):
        await fox.evaluate("seen.events.length = 0")
        await fox.evaluate("s => { room.simulateScenario(s) }", scenario)
        await holds(fox, "() => seen.events.includes('reconnected')")
        await advances(fox, "video alice")
        await advances(alice, "video fox")

    await fox.evaluate("room.disconnect()")
    await holds(alice, "() => room.remoteParticipants.size === 0")
