"""livekit-client 2.15.16, about a year old, and the newest in one room: a meeting, and both kinds of reconnect."""

from __future__ import annotations

import pytest

from tests.e2e.media.pages.acts import advances, blinks, holds, mutes, reconnects, say
from tests.e2e.media.pages.conftest import NEWEST, YEAR_OLD, Enter, thorough


@thorough
@pytest.mark.parametrize("single", [True, False], ids=["v1", "v0"])
async def test_a_year_old_client(enter: Enter, single: bool) -> None:
    old = await enter("old", single=single, client=YEAR_OLD)
    new = await enter("new", single=True, client=NEWEST)
    for page, other in ((old, "new"), (new, "old")):
        await advances(page, f"video {other}", width=320)
        await holds(page, "p => seen.peaks[p] > 0.1", other)

    await old.evaluate("room.localParticipant.setScreenShareEnabled(true)")
    await holds(new, "() => room.remoteParticipants.get('old').isScreenShareEnabled")
    await advances(new, "screen old")

    await mutes(old, "old", seen_by=new)
    await blinks(new, "new", seen_by=old)

    await say(old, "from old", reliable=True)
    await say(new, "from new", reliable=False)
    await holds(new, "() => seen.data.join() === 'from old,old,t'")
    await holds(old, "() => seen.data.join() === 'from new,new,t'")

    for scenario in ("signal-reconnect", "full-reconnect"):
        await reconnects(old, scenario)
        await advances(old, "video new")
        await advances(new, "video old")
        await advances(new, "screen old")
        assert "trackSubscriptionFailed" not in await old.evaluate("seen.events")
