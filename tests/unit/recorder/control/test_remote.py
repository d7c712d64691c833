"""The egress control over a Unix socket: the same states, the same refusals."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web

from meet.media.twirp.egress_model import (
    EgressNotRunning,
    EgressRefused,
    EgressRequest,
    EgressUnavailable,
    EgressUnknown,
    EgressUnsupported,
    ParticipantChoice,
)
from meet.recorder.control.remote import RemoteControl, control_routes
from tests.unit.media.twirp.fakes import FakeControl

REQUEST = EgressRequest(
    room_name="a",
    room_sid="RM_1",
    layout="grid",
    encoding={"video": {"width": 640}},
    key="p/a.mp4",
    original=bytes(range(256)),
    participant=ParticipantChoice("ann", screen_share=True),
    compose="after",
    only="audio",
    container="ogg",
    manifest={"room_id": "RM_1"},
)


@pytest.fixture
def owner() -> FakeControl:
    return FakeControl()


@pytest.fixture
async def remote(data: Path, owner: FakeControl) -> AsyncIterator[RemoteControl]:
    app = web.Application()
    app.add_routes(control_routes(owner))
    runner = web.AppRunner(app)
    await runner.setup()
    await web.UnixSite(runner, str(data / "front.sock")).start()
    control = RemoteControl(data / "front.sock")
    yield control
    await control.close()
    await runner.cleanup()


async def test_states_come_back_whole(owner: FakeControl, remote: RemoteControl) -> None:
    started = await remote.start(REQUEST)
    assert started == owner.states[started.egress_id]
    assert started.request == REQUEST
    assert (await remote.update_layout(started.egress_id, "speaker")).layout == "speaker"
    assert (await remote.set_paused(started.egress_id, True)).paused is True
    owner.states[started.egress_id] = replace(
        owner.states[started.egress_id], integrity={"sha256": "x", "gaps": [1.5]}, duration_s=2.5, size=7
    )
    assert await remote.find() == list(owner.states.values())
    assert await remote.find(egress_id="EG_none") == []
    assert len(await remote.find(room="a", active=True)) == 1
    assert (await remote.stop(started.egress_id)).status == "ending"


async def test_refusals_are_the_owners(owner: FakeControl, remote: RemoteControl) -> None:
    with pytest.raises(EgressUnknown, match="does not exist"):
        await remote.stop("EG_none")
    started = await remote.start(REQUEST)
    await remote.stop(started.egress_id)
    with pytest.raises(EgressNotRunning):
        await remote.update_layout(started.egress_id, "grid")
    owner.full = "no space"
    with pytest.raises(EgressRefused, match="no space"):
        await remote.start(REQUEST)
    owner.full, owner.unsupported = "", "too wide"
    with pytest.raises(EgressUnsupported, match="too wide"):
        await remote.start(REQUEST)
    owner.unsupported, owner.refuse = "", "broken"
    with pytest.raises(EgressUnavailable, match="broken"):
        await remote.start(REQUEST)


async def test_an_owner_that_is_away(data: Path) -> None:
    remote = RemoteControl(data / "nobody.sock")
    with pytest.raises(EgressUnavailable, match="does not answer"):
        await remote.start(REQUEST)
    with pytest.raises(EgressUnavailable, match="does not answer"):
        await remote.find()
    with pytest.raises(EgressUnavailable, match="does not answer"):
        await remote.set_paused("EG_none", True)
    await remote.close()
