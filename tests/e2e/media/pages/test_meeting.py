"""Chromium pages with an unmodified livekit-client from npm, in both signalling versions."""

from __future__ import annotations

import asyncio

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
from tests.e2e.media.pages.conftest import Enter
from tests.e2e.media.shaper import Shaper


@pytest.mark.parametrize(("single", "codec"), [(True, "vp8"), (False, "h264")], ids=["v1-vp8", "v0-h264"])
async def test_a_meeting_of_three(enter: Enter, media: MediaServer, single: bool, codec: str) -> None:
    alice = await enter("alice", single=single, codec=codec)
    bob = await enter("bob", single=single, codec=codec)
    carol = await enter("carol", single=single, publish=False)

    # Everybody sees and hears the publishers.
    for page, publishers in ((alice, ["bob"]), (bob, ["alice"]), (carol, ["alice", "bob"])):
        for publisher in publishers:
            await advances(page, f"video {publisher}", width=320)
            await advances(page, f"audio {publisher}")
            await holds(page, "p => seen.peaks[p] > 0.1", publisher)

    # Everybody gets the redundant audio that livekit-client sends unless told otherwise.
    sounds = [f for s in media.gateway.pulse.sessions for f in s.subscriber.items.values() if not f.track.video]
    assert len(sounds) == 4
    assert all(f.down is not None and f.down.redundant for f in sounds)

    # Data, both ways and both kinds.
    await say(alice, "reliable", reliable=True)
    await say(carol, "lossy", reliable=False)
    await holds(carol, "() => seen.data.length === 1")
    await holds(alice, "() => seen.data.length === 1")
    assert await carol.evaluate("seen.data") == [["reliable", "alice", "t"]]
    assert await alice.evaluate("seen.data") == [["lossy", "carol", "t"]]

    # Simulcast: the subscriber chooses.
    for quality, test in ((LOW, "w => w > 0 && w <= 320"), (HIGH, "w => w >= 1280")):
        await choose_quality(carol, quality)
        await holds(
            carol,
            f"() => Object.entries(tiles()).filter(([n]) => n.startsWith('video')).every(([, [w]]) => ({test})(w))",
        )
    await advances(carol, "video alice", width=1280)

    await mutes(alice, "alice", seen_by=carol)
    await blinks(alice, "alice", seen_by=carol)
    await looks_away(carol, "bob")

    # A leaver is gone for the others.
    await alice.evaluate("room.disconnect()")
    await holds(bob, "() => room.remoteParticipants.size === 1 && !Object.keys(tiles()).some(n => n.endsWith('alice'))")


@pytest.mark.parametrize("single", [True, False], ids=["v1", "v0"])
async def test_reconnecting(enter: Enter, single: bool) -> None:
    alice, bob = await enter("alice", single=single), await enter("bob", single=single)
    await advances(alice, "video bob")
    await advances(bob, "video alice")
    for scenario, event in (("signal-reconnect", "signalReconnecting"), ("full-reconnect", "reconnecting")):
        before = await bob.evaluate("room.localParticipant.sid")
        await reconnects(bob, scenario)
        assert event in await bob.evaluate("seen.events")
        after = await bob.evaluate("room.localParticipant.sid")
        assert (after == before) is (scenario == "signal-reconnect")
        await advances(alice, "video bob")
        await advances(bob, "video alice")
        assert "trackSubscriptionFailed" not in await bob.evaluate("seen.events")


async def test_dynacast_and_adaptive_stream(enter: Enter) -> None:
    """The publisher encodes what somebody looks at: nothing, then what a small tile needs, then everything."""
    alice = await enter("alice", single=True, options={"dynacast": True})
    await holds(alice, "async () => (await sendingLayers()).length === 0")
    bob = await enter("bob", single=True, publish=False, options={"adaptiveStream": True})
    await bob.evaluate("document.getElementById('media').style.width = '160px'")
    await bob.add_style_tag(content="#media > video { width: 160px; height: 90px }")
    await advances(bob, "video alice")
    await holds(alice, "async () => (await sendingLayers()).join() === 'q'")
    await bob.add_style_tag(content="#media > video { width: 1280px !important; height: 720px !important }")
    await holds(alice, "async () => (await sendingLayers()).join() === 'f,h,q'")
    await advances(bob, "video alice", width=1280)


async def test_no_data_is_lost_or_doubled_by_a_resume(enter: Enter) -> None:
    alice, bob = await enter("alice", single=True, publish=False), await enter("bob", single=True, publish=False)
    await holds(alice, "() => room.remoteParticipants.size === 1")
    flood = """async ([from, to]) => {
        const encoder = new TextEncoder();
        for (let i = from; i < to; i++) {
            await room.localParticipant.publishData(encoder.encode(String(i)), {reliable: true, topic: 't'});
            await new Promise(done => setTimeout(done, 10));
        }
    }"""
    for victim in (alice, bob):  # first the sender is cut off, then the receiver
        await victim.evaluate("seen.events.length = 0")
        sending = asyncio.create_task(alice.evaluate(flood, [0, 300]))
        await asyncio.sleep(0.5)
        await victim.evaluate("room.simulateScenario('signal-reconnect')")
        await sending
        await holds(victim, "() => seen.events.includes('reconnected')")
        await holds(bob, "() => seen.data.length >= 300")
        await asyncio.sleep(0.5)
        assert [int(text) for text, _, _ in await bob.evaluate("seen.data")] == list(range(300))
        await bob.evaluate("seen.data.length = 0")


async def test_without_udp(enter: Enter, media: MediaServer) -> None:
    media.mux.drop = lambda _outgoing, _data: True
    alice, bob = await enter("alice", single=True), await enter("bob", single=False, publish=False)
    await advances(bob, "video alice")
    await holds(bob, "() => seen.peaks['alice'] > 0.1")
    assert media.mux.tcp_connections >= 2
    await alice.evaluate("room.disconnect()")


async def test_a_slow_link_gets_the_low_layer_and_clean_sound(enter: Enter, media: MediaServer) -> None:
    """300 kb/s for one of two subscribers: it keeps a moving picture, the other one 720p; then it gets 720p back."""
    shaper = Shaper(media)
    media.mux.shape = shaper
    await enter("alice", single=True)
    bob, carol = await enter("bob", single=True, publish=False), await enter("carol", single=True, publish=False)
    for page in (bob, carol):
        await advances(page, "video alice", width=1280)
    shaper.limit("bob", 300_000)
    await holds(bob, "() => tiles()['video alice'][0] === 320")
    before = [await page.evaluate("concealment()") for page in (bob, carol)]
    for _ in range(3):
        await asyncio.sleep(1)
        await advances(bob, "video alice", width=320)
    after = [await page.evaluate("concealment()") for page in (bob, carol)]
    limited, free = ((b[0] - a[0]) / (b[1] - a[1]) for a, b in zip(before, after, strict=True))
    # What carol, with all the rate there is, misses as well is this machine's doing.
    assert limited - free < 0.05, "share of sound made up for lost packets"
    await advances(carol, "video alice", width=1280)
    shaper.limit("bob", None)
    await holds(bob, "() => tiles()['video alice'][0] === 1280")
    await advances(bob, "video alice", width=1280)


async def test_a_codec_that_is_not_allowed_is_replaced(enter: Enter, media: MediaServer) -> None:
    await enter("alice", single=True, codec="vp9")
    bob = await enter("bob", single=True, publish=False)
    await advances(bob, "video alice", width=320)
    tracks = media.registry.require("room").participants["alice"].live_tracks
    assert {t.mime_type for t in tracks} == {"video/VP8", "audio/red"}
