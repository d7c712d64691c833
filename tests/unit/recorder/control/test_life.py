"""Start to finish with a recorder on the real socket."""

from __future__ import annotations

import asyncio
import errno
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import pytest

from meet.media.room import RoomRegistry
from meet.media.twirp.egress_model import EgressNotRunning, EgressRefused, EgressUnavailable, EgressUnknown
from meet.recorder.control.rooms import follow_registry
from tests.unit.media.twirp.fakes import join
from tests.unit.recorder.control.world import REQUEST, World


async def test_a_recording_from_start_to_end(world: World) -> None:
    state = await world.control.start(REQUEST)
    egress_id = state.egress_id
    assert (state.status, world.supervisor.started) == ("starting", [egress_id])
    request = json.loads((world.folder(egress_id) / "request.json").read_text())
    assert request.pop("created_ms") > 0
    assert request == {
        "egress_id": egress_id,
        "room_name": "a",
        "layout": "grid",
        "encoding": "H264_720P_30",
        "key": "rec/a--x.mp4",
    }
    recorder = await world.recorder(egress_id)
    recorder.report("starting")
    recorder.say({"type": "heartbeat"})
    recorder.report("active", started_at_ms=1000)
    await world.until_status(egress_id, "active")
    recorder.report("active", size=5)
    stopped = await world.control.stop(egress_id)
    assert (stopped.status, stopped.started_at_ms) == ("ending", 1000)
    assert await recorder.hear() == {"type": "stop", "reason": "stop_requested"}
    with pytest.raises(EgressNotRunning):
        await world.control.stop(egress_id)
    recorder.report("active", size=7)  # sent before it heard of the stop
    recorder.report("ending")
    recorder.report("complete", save=True, ended_at_ms=9000, size=10, duration_s=8.0)
    await world.until_status(egress_id, "complete")
    recorder.report("failed", error="late")
    recorder.report("active")
    await world.until(lambda: len(world.told) >= 4)
    await asyncio.sleep(0.05)
    assert world.told == [
        ("egress_started", "starting"),
        ("egress_updated", "active"),
        ("egress_updated", "ending"),
        ("egress_ended", "complete"),
    ]
    (done,) = world.control.list(egress_id=egress_id)
    assert (done.size, done.duration_s, done.ended_at_ms, done.error) == (10, 8.0, 9000, None)
    assert done.details == "End reason: StopEgress API"
    assert world.control.list(active=True) == []
    with pytest.raises(EgressNotRunning):
        await world.control.stop(egress_id)
    with pytest.raises(EgressNotRunning):
        await world.control.update_layout(egress_id, "speaker")


async def test_nothing_is_written_over(world: World) -> None:
    """Two with LiveKit's default name that begin in one second, and one with the name of what is complete."""
    first, second = await asyncio.gather(world.control.start(REQUEST), world.control.start(REQUEST))
    assert first.request.key == "rec/a--x.mp4"
    assert second.request.key == f"rec/a--x-{second.egress_id}.mp4"
    assert json.loads((world.folder(second.egress_id) / "request.json").read_text())["key"] == second.request.key
    recorder = await world.recorder(first.egress_id)
    recorder.report("active")
    await world.until_status(first.egress_id, "active")
    recorder.report("complete", save=True, size=10, duration_s=8.0)
    await world.until_status(first.egress_id, "complete")
    await world.restart()
    third = await world.control.start(replace(REQUEST, key="other.mp4"))
    fourth = await world.control.start(REQUEST)
    assert (third.request.key, fourth.request.key) == ("other.mp4", f"rec/a--x-{fourth.egress_id}.mp4")


async def test_a_start_that_was_given_up_keeps_no_name(world: World) -> None:
    egress_id = await world.start()
    await world.control.stop(egress_id)
    recorder = await world.recorder(egress_id)
    recorder.report("aborted", save=True)
    await world.until_status(egress_id, "aborted")
    assert (await world.control.start(REQUEST)).request.key == REQUEST.key


async def test_unknown_egress(world: World) -> None:
    with pytest.raises(EgressUnknown):
        await world.control.stop("EG_nonesuch0000")
    assert world.control.list(egress_id="EG_nonesuch0000") == []


async def test_a_recorder_faster_than_the_supervisors_answer(world: World) -> None:
    async def at_once(egress_id: str) -> None:
        recorder = await world.recorder(egress_id)
        recorder.report("active", started_at_ms=5)
        await world.until_status(egress_id, "active")
        assert world.events == []  # nothing before the start itself

    world.supervisor.on_start = at_once
    state = await world.control.start(REQUEST)
    assert state.status == "active"
    assert world.told == [("egress_started", "starting"), ("egress_updated", "active")]


async def test_a_refused_start_leaves_nothing(world: World) -> None:
    world.supervisor.refuse = "no processes left"
    with pytest.raises(EgressUnavailable, match="no processes left"):
        await world.start()
    await world.supervisor.close()
    with pytest.raises(EgressUnavailable, match="cannot be reached"):
        await world.start()
    assert list((world.data / "spool").iterdir()) == []
    assert world.control.list() == [] and world.events == []


async def test_a_start_without_disk_leaves_nothing(world: World) -> None:
    (world.data / "spool").write_text("in the way")
    with pytest.raises(EgressRefused):
        await world.start()
    assert world.supervisor.started == [] and world.control.list() == []
    assert world.control.refused == {"disk": 1}


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
async def test_a_start_without_space_for_a_journal_leaves_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def full(_fd: int, _offset: int, size: int) -> None:
        raise OSError(number, f"no {size} bytes left")

    monkeypatch.setattr("os.posix_fallocate", full)
    with pytest.raises(EgressRefused, match="the spool takes no recording: no 1048576 bytes left"):
        await world.start()
    assert list((world.data / "spool").iterdir()) == [] and world.control.list() == []


async def test_a_start_without_files_left_leaves_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    told = list(os.statvfs(world.data))
    told[5], told[7] = 1000, 15  # f_files, f_favail
    monkeypatch.setattr("os.statvfs", lambda _path: os.statvfs_result(told))
    with pytest.raises(EgressRefused, match="No file left on device"):
        await world.start()
    assert list((world.data / "spool").iterdir()) == []


async def test_without_descriptors_a_start_is_refused(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def none_left(*_: object) -> NoReturn:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr("asyncio.open_unix_connection", none_left)
    with pytest.raises(EgressRefused, match="Too many open files"):
        await world.start()
    assert list((world.data / "spool").iterdir()) == []


async def test_a_recorder_of_a_refused_start_is_sent_away(world: World) -> None:
    async def come(egress_id: str) -> None:
        await world.recorder(egress_id)
        await world.until(lambda: bool(world.entry(egress_id).link))
        world.supervisor.refuse = "changed my mind"

    world.supervisor.on_start = come
    with pytest.raises(EgressUnavailable):
        await world.start()
    assert await world.recorders[0].hear() == {"type": "stop", "reason": "cancelled"}


async def test_a_room_does_not_show_a_start_that_was_undone(world: World) -> None:
    async def come(egress_id: str) -> None:
        recorder = await world.recorder(egress_id)
        recorder.report("active")
        await world.until_status(egress_id, "active")
        world.supervisor.refuse = "changed my mind"

    registry = RoomRegistry()
    follow_registry(world.control, registry)
    link = join(registry.create("a"), "ann")
    world.supervisor.on_start = come
    with pytest.raises(EgressUnavailable):
        await world.start()
    assert link.recording == [True, False]


async def test_layout_reaches_the_recorder_now_or_later(world: World) -> None:
    egress_id = await world.start()
    changed = await world.control.update_layout(egress_id, "speaker")
    assert changed.layout == "speaker"
    recorder = await world.recorder(egress_id)
    assert await recorder.hear() == {"type": "update_layout", "layout": "speaker"}
    recorder.report("active", layout="grid")  # it has not got round to it yet
    await world.until_status(egress_id, "active")
    await world.control.update_layout(egress_id, "grid")
    assert await recorder.hear() == {"type": "update_layout", "layout": "grid"}
    assert world.told == [
        ("egress_started", "starting"),
        ("egress_updated", "starting"),
        ("egress_updated", "active"),
        ("egress_updated", "active"),
    ]
    assert [event.state.layout for event in world.events] == ["grid", "speaker", "speaker", "grid"]


async def test_the_room_shows_it_and_takes_the_recording_along(world: World) -> None:
    registry = RoomRegistry()
    follow_registry(world.control, registry)
    link = join(registry.create("a"), "ann")
    registry.create("b")
    egress_id = await world.start()
    recorder = await world.recorder(egress_id)
    recorder.report("active")
    await world.until_status(egress_id, "active")
    assert link.recording == [True]
    registry.delete("b")
    assert world.status(egress_id) == "active"
    registry.delete("a")
    await world.until_status(egress_id, "ending")
    assert await recorder.hear() == {"type": "stop", "reason": "room_finished"}
    assert world.events[-1].state.details == "End reason: Source closed"


async def test_a_shutdown_does_not_stop_recordings(world: World) -> None:
    registry = RoomRegistry()
    follow_registry(world.control, registry)
    registry.create("a")
    egress_id = await world.start()
    recorder = await world.recorder(egress_id)
    recorder.report("active", save=True)
    await world.until_status(egress_id, "active")
    await world.control.close()
    registry.shutdown()
    assert await recorder.hear() is None  # hung up, not stopped
    with pytest.raises(EgressUnavailable, match="shutting down"):
        await world.start()
    assert world.status(egress_id) == "active"


async def test_junk_on_the_socket_harms_nobody(world: World) -> None:
    egress_id = await world.start()
    good = await world.recorder(egress_id)
    for junk in (
        b"not json\n",
        b"[1]\n",
        b'{"type":"status"}\n',
        b'{"type":"hello","egress_id":"../x"}\n',
        b"x" * 200_000,
    ):
        bad = await world.recorder(egress_id="EG_unknown00000")
        assert await bad.hear() == {"type": "stop", "reason": "cancelled"}
        worse = await type(bad)(world, "").connect(hello=False)
        worse.raw(junk)
        await worse.close()
    good.report("active", size="huge", started_at_ms=True, error=None)
    await world.until_status(egress_id, "active")
    (state,) = world.control.list()
    assert state.size is None and isinstance(state.started_at_ms, int) and state.started_at_ms > 1


async def test_a_newer_connection_replaces_the_older(world: World) -> None:
    egress_id = await world.start()
    first = await world.recorder(egress_id)
    first.report("starting")
    second = await world.recorder(egress_id)
    assert await first.hear() is None
    second.report("active")
    await world.until_status(egress_id, "active")


async def test_socket_is_private(world: World, data: Path) -> None:
    assert (data / "run" / "egress.sock").stat().st_mode & 0o777 == 0o600
