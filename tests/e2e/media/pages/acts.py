"""What people do in page.html, and what the others see of it; in whichever browser."""

from __future__ import annotations

import asyncio
from typing import Any, Final, Protocol

LOW: Final = 0
HIGH: Final = 2
"""Values of livekit-client's VideoQuality."""


class Evaluates(Protocol):
    """What these tests need of a page."""

    async def evaluate(self, expression: str, arg: Any = None) -> Any: ...


async def holds(page: Evaluates, expression: str, argument: Any = None, *, seconds: float = 60) -> None:
    """Wait until a JavaScript expression, or function of `argument`, is true. Raises AssertionError."""
    try:
        async with asyncio.timeout(seconds):
            while not await page.evaluate(expression, argument):
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise AssertionError(f"never true: {expression} {argument if argument is not None else ''}") from None


async def advances(page: Evaluates, name: str, *, width: int = 0) -> None:
    """The element plays: at least this wide, and its time moves on by half a second."""
    await holds(page, "([n, w]) => tiles()[n] && tiles()[n][0] >= w && tiles()[n][1] > 0", [name, width])
    start = (await page.evaluate("n => tiles()[n]", name))[1]
    await holds(page, "([n, t]) => tiles()[n] && tiles()[n][1] > t + 0.5", [name, start])


async def say(page: Evaluates, text: str, *, reliable: bool) -> None:
    """Send a data packet to everybody, of topic `t`."""
    send = "([t, reliable]) => room.localParticipant.publishData(new TextEncoder().encode(t), {reliable, topic: 't'})"
    await page.evaluate(send, [text, reliable])


async def choose_quality(page: Evaluates, quality: int) -> None:
    """Ask for a simulcast layer of everybody's pictures."""
    await page.evaluate("q => others(p => p.videoTrackPublications.forEach(t => t.setVideoQuality(q)))", quality)


async def mutes(page: Evaluates, identity: str, *, seen_by: Evaluates) -> None:
    """Turn the microphone off."""
    await page.evaluate("room.localParticipant.setMicrophoneEnabled(false)")
    await holds(seen_by, "i => room.remoteParticipants.get(i).isMicrophoneEnabled === false", identity)


async def blinks(page: Evaluates, identity: str, *, seen_by: Evaluates) -> None:
    """Turn the camera off and on again."""
    await page.evaluate("room.localParticipant.setCameraEnabled(false)")
    await holds(seen_by, "i => room.remoteParticipants.get(i).isCameraEnabled === false", identity)
    await page.evaluate("room.localParticipant.setCameraEnabled(true)")
    await advances(seen_by, f"video {identity}")


async def looks_away(page: Evaluates, identity: str) -> None:
    """Unsubscribe from all pictures, and subscribe again; `identity` is one who sends."""
    wish = "s => others(p => p.videoTrackPublications.forEach(t => t.setSubscribed(s)))"
    await page.evaluate(wish, False)
    await holds(page, "() => !Object.keys(tiles()).some(n => n.startsWith('video'))")
    await page.evaluate(wish, True)
    await advances(page, f"video {identity}")


async def reconnects(page: Evaluates, scenario: str) -> None:
    """Have livekit-client play a `simulateScenario`; `seen.events` has then what happened in it."""
    await page.evaluate("seen.events.length = 0")
    await page.evaluate("s => { room.simulateScenario(s) }", scenario)
    await holds(page, "() => seen.events.includes('reconnected')")
