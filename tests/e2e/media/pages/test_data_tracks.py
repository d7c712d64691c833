"""Data tracks: published, subscribed, ended, with two clients of either signalling version."""

from __future__ import annotations

import pytest

from tests.e2e.media.pages.acts import holds, reconnects
from tests.e2e.media.pages.conftest import Enter, thorough

COLLECT = """async name => {
    const all = [...room.remoteParticipants.values()].flatMap(p => [...p.dataTracks.values()]);
    const track = all.find(t => t.info.name === name);
    seen.frames = [];
    const reader = track.subscribe().getReader();
    (async () => {
        for (;;) {
            const { done, value } = await reader.read();
            if (done) { seen.frames.push('end'); break; }
            seen.frames.push([value.payload.length, value.payload[0]]);
        }
    })();
}"""
PUBLISH = "async name => { window.track = await room.localParticipant.publishDataTrack({ name }); }"
SEND = """() => {
    window.sending = setInterval(() => {
        track.tryPush({ payload: new Uint8Array(10).fill(7) });
        track.tryPush({ payload: new Uint8Array(40000).fill(8) });
    }, 50);
}"""
HAS = """name => [...room.remoteParticipants.values()].some(
    p => [...p.dataTracks.values()].some(t => t.info.name === name))"""


@thorough
@pytest.mark.parametrize("single", [True, False], ids=["v1", "v0"])
async def test_a_data_track(enter: Enter, single: bool) -> None:
    alice = await enter("alice", single=single, publish=False)
    bob = await enter("bob", single=single, publish=False)
    await alice.evaluate(PUBLISH, "position")
    await holds(bob, HAS, "position")
    carol = await enter("carol", single=single, publish=False)  # comes later
    await holds(carol, HAS, "position")
    await alice.evaluate(SEND)
    for page in (bob, carol):
        await page.evaluate(COLLECT, "position")
        await holds(page, "() => seen.frames.some(f => f[0] === 10 && f[1] === 7)")
        await holds(page, "() => seen.frames.some(f => f[0] === 40000 && f[1] === 8)")

    with pytest.raises(Exception, match="already"):
        await alice.evaluate("() => room.localParticipant.publishDataTrack({ name: 'position' })")

    for page in (alice, bob):
        # With v0, livekit-client 2.23.0 does not open the data channels of a publisher again.
        for scenario in ("signal-reconnect", "full-reconnect") if single or page is bob else ("signal-reconnect",):
            await reconnects(page, scenario)
            if scenario == "full-reconnect":  # the SDK itself ends subscriptions here, but publishes again
                await holds(bob, HAS, "position")
                await bob.evaluate(COLLECT, "position")
            await bob.evaluate("seen.frames.length = 0")
            await holds(bob, "() => seen.frames.length > 3")

    await alice.evaluate("async () => { clearInterval(sending); await track.unpublish(); }")
    await holds(bob, f"name => !({HAS})(name)", "position")
    await holds(bob, "() => seen.frames.at(-1) === 'end'")
