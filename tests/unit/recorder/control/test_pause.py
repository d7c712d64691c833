"""Pausing: the control's wish, the recorder's word, and what is left of both when somebody dies."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest

from meet.media.twirp.egress_model import EgressNotRunning, EgressSilent, EgressUnknown
from tests.unit.recorder.control.world import REQUEST, FakeRecorder, World


async def active(world: World) -> tuple[str, FakeRecorder]:
    egress_id = await world.start()
    recorder = await world.recorder(egress_id)
    recorder.report("active", save=True)
    await world.until_status(egress_id, "active")
    return egress_id, recorder


async def test_answered_when_the_recorder_has_paused(world: World) -> None:
    egress_id, recorder = await active(world)
    asked = asyncio.create_task(world.control.set_paused(egress_id, True))
    assert await recorder.hear() == {"type": "pause"}
    assert not asked.done() and not world.control.list()[0].paused
    recorder.report("active", paused=True)
    assert (await asked).paused
    assert (await world.control.set_paused(egress_id, True)).paused  # again: nothing to be said
    asked = asyncio.create_task(world.control.set_paused(egress_id, False))
    assert await recorder.hear() == {"type": "resume"}
    recorder.report("active", paused=False)
    assert not (await asked).paused


async def test_resuming_what_was_never_paused(world: World) -> None:
    egress_id, _ = await active(world)
    assert not (await world.control.set_paused(egress_id, False)).paused
    assert world.entry(egress_id).memory.paused is None


async def test_only_what_is_active_can_be_paused(world: World) -> None:
    with pytest.raises(EgressUnknown):
        await world.control.set_paused("EG_nonesuch0000", True)
    egress_id = await world.start()
    with pytest.raises(EgressNotRunning, match="starting"):
        await world.control.set_paused(egress_id, True)
    recorder = await world.recorder(egress_id)
    recorder.report("active")
    await world.until_status(egress_id, "active")
    await world.control.stop(egress_id)
    with pytest.raises(EgressNotRunning, match="ending"):
        await world.control.set_paused(egress_id, True)


async def test_a_stop_that_is_faster(world: World) -> None:
    egress_id, recorder = await active(world)
    asked = asyncio.create_task(world.control.set_paused(egress_id, True))
    assert await recorder.hear() == {"type": "pause"}
    await world.control.stop(egress_id)
    with pytest.raises(EgressNotRunning):
        await asked


async def test_the_later_of_two_wishes_counts(world: World) -> None:
    egress_id, recorder = await active(world)
    pausing = asyncio.create_task(world.control.set_paused(egress_id, True))
    assert await recorder.hear() == {"type": "pause"}
    resuming = asyncio.create_task(world.control.set_paused(egress_id, False))
    assert await recorder.hear() == {"type": "resume"}
    recorder.report("active", paused=False)
    assert not (await pausing).paused and not (await resuming).paused


async def test_a_silent_recorder_is_told_when_it_is_back(tmp_path: Path) -> None:
    world = World(tmp_path, pause_timeout_s=0.05)
    await world.open()
    try:
        egress_id, recorder = await active(world)
        await recorder.close()
        await world.until(lambda: world.entry(egress_id).link is None)
        with pytest.raises(EgressSilent):
            await world.control.set_paused(egress_id, True)
        again = await world.recorder(egress_id)
        assert await again.hear() == {"type": "pause"}
        again.report("active", paused=True)
        await world.until(lambda: world.control.list()[0].paused)
    finally:
        await world.close()


async def test_wish_and_word_survive_a_restart(world: World) -> None:
    egress_id, recorder = await active(world)
    asked = asyncio.create_task(world.control.set_paused(egress_id, True))
    await recorder.hear()
    recorder.report("active", save=True, paused=True)
    await asked
    await world.restart()
    assert world.control.list()[0].paused
    again = await world.recorder(egress_id)
    assert await again.hear() == {"type": "pause"}
    asked = asyncio.create_task(world.control.set_paused(egress_id, False))
    assert await again.hear() == {"type": "resume"}
    again.report("active", save=True, paused=False)
    await asked
    await world.restart()
    assert await (await world.recorder(egress_id)).hear() == {"type": "resume"}


async def test_compose_and_integrity_are_kept(world: World) -> None:
    egress_id = (await world.control.start(replace(REQUEST, compose="after"))).egress_id
    assert json.loads((world.folder(egress_id) / "request.json").read_text())["compose"] == "after"
    recorder = await world.recorder(egress_id)
    recorder.report("complete", save=True, integrity={"sha256": "ab", "size": 7})
    await world.until_status(egress_id, "complete")
    await world.restart()
    [state] = world.control.list()
    assert (state.request.compose, state.integrity) == ("after", {"sha256": "ab", "size": 7})


async def test_what_is_wanted_of_a_room_is_kept(world: World) -> None:
    """The recorder reads it from request.json, and so does the control that comes after this one."""
    content = {"room_id": "RM_1"}
    wish = replace(REQUEST, key="rec/x.ogg", only="audio", container="ogg", manifest=content)
    egress_id = (await world.control.start(wish)).egress_id
    told = json.loads((world.folder(egress_id) / "request.json").read_text())
    assert (told["only"], told["container"]) == ("audio", "ogg")
    assert told["manifest"] == {"key": f"rec/{egress_id}.json", "content": content}
    await world.restart()
    (state,) = await world.control.find(egress_id=egress_id)
    assert (state.request.only, state.request.container, state.request.manifest) == ("audio", "ogg", content)


async def test_the_servers_own_way_to_compose_is_written_down(tmp_path: Path) -> None:
    world = World(tmp_path, compose="after")
    await world.open()
    try:
        chosen, usual = (await world.control.start(replace(REQUEST, compose="live"))).egress_id, await world.start()
        modes = [json.loads((world.folder(each) / "request.json").read_text())["compose"] for each in (chosen, usual)]
        assert modes == ["live", "after"]
    finally:
        await world.close()
