"""Pausing, composing later, and the facts that move to the database when a recording is over."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from meet.core.errors import (
    InsufficientPermissions,
    MediaServerError,
    MediaServerUnavailable,
    RecordingAlreadyStopped,
    RecordingNotFound,
)
from meet.core.model.recording import Recording
from meet.core.model.recording_facts import Compose, RecordingFacts
from meet.core.recording_errors import RecorderMissing, RecorderSilent, RecordingNotActive
from meet.core.signals import RECORDING_PAUSED, RECORDING_UPDATED
from tests.support.recorder import INTEGRITY
from tests.unit.core.conftest import World
from tests.unit.core.test_recordings import finished, token

DAY_S = 24 * 3600


async def running(world: World) -> Recording:
    room = await world.meeting()
    return await world.core.recordings.start(world.admin, room.room_id)


async def test_pause_and_resume(world: World) -> None:
    recording = await running(world)
    extras, recording_id = world.core.recording_extras, recording.recording_id
    for change, paused in ((extras.pause, True), (extras.pause, True), (extras.resume, False), (extras.resume, False)):
        known = await change(world.admin, recording_id)
        assert (known.facts.paused, known.recording.status) == (paused, "active")
        assert (await extras.get(world.admin, recording_id)).facts.paused is paused
    await world.core.signals.drain()
    told = [json.loads(each.payload) for each in world.media.sent if each.topic == RECORDING_PAUSED]
    assert [each["paused"] for each in told] == [True, True, False, False]
    assert {(each["roomId"], each["recordingId"]) for each in told} == {(recording.room_id, recording_id)}


async def test_a_recorder_that_pauses_later_is_told_of_later(world: World) -> None:
    extras = world.core.recording_extras
    recordings = [await running(world) for _ in range(3)]
    late, resumed, gone = recordings
    world.recorder.silent = True
    for recording in recordings:
        with pytest.raises(RecorderSilent):
            await extras.pause(world.admin, recording.recording_id)
    await extras.tell_late_pauses()

    async def told() -> list[tuple[str, bool]]:
        await world.core.signals.drain()
        sent = [json.loads(each.payload) for each in world.media.sent if each.topic == RECORDING_PAUSED]
        return [(each["recordingId"], each["paused"]) for each in sent]

    assert await told() == [], "it is not paused yet"
    world.recorder.silent = False
    await extras.resume(world.admin, resumed.recording_id)
    assert await told() == [(resumed.recording_id, False)]
    world.recorder.paused[late.egress_id] = True
    world.media.change(gone.egress_id, status="complete")
    for _ in range(2):
        await extras.tell_late_pauses()
        assert await told() == [(resumed.recording_id, False), (late.recording_id, True)], "once"
    asked = world.recorder.asked
    await extras.tell_late_pauses()
    assert world.recorder.asked == asked, "nobody is waited for any more"


async def test_who_may_pause_may_record(world: World) -> None:
    recording = await running(world)
    extras = world.core.recording_extras
    with pytest.raises(InsufficientPermissions):
        await extras.pause(token(recording.room_id), recording.recording_id)
    assert (await extras.pause(token(recording.room_id, canRecord=True), recording.recording_id)).facts.paused
    with pytest.raises(InsufficientPermissions):
        await extras.get(token(recording.room_id, canRetrieveRecordings=False), recording.recording_id)
    with pytest.raises(RecordingNotFound):
        await extras.pause(world.admin, "nope--EG_1--0123456789")


async def test_another_layout_while_it_runs(world: World) -> None:
    recording = await running(world)
    extras, recording_id = world.core.recording_extras, recording.recording_id
    with pytest.raises(InsufficientPermissions):
        await extras.set_layout(token(recording.room_id), recording_id, "speaker")
    for _ in range(2):
        assert (await extras.set_layout(world.admin, recording_id, "speaker")).recording.layout == "speaker"
    assert (await world.core.recordings.get(world.admin, recording_id)).layout == "speaker"
    await world.core.signals.drain()
    told = [json.loads(each.payload) for each in world.media.sent if each.topic == RECORDING_UPDATED]
    assert [each["recording"].get("layout") for each in told].count("speaker") == 1, "the second time nothing changed"
    world.recorder.missing = True
    assert (await extras.set_layout(world.admin, recording_id, "grid")).recording.layout == "grid"
    world.media.change(recording.egress_id, status="ending")  # nobody has told us yet
    with pytest.raises(RecordingAlreadyStopped):
        await extras.set_layout(world.admin, recording_id, "speaker")
    world.media.egress.clear()
    with pytest.raises(RecordingNotFound):
        await extras.set_layout(world.admin, recording_id, "speaker")
    over = await finished(world)
    with pytest.raises(RecordingAlreadyStopped):
        await extras.set_layout(world.admin, over.recording_id, "speaker")


async def test_what_cannot_be_paused(world: World) -> None:
    extras = world.core.recording_extras
    over = await finished(world)
    with pytest.raises(RecordingAlreadyStopped):
        await extras.pause(world.admin, over.recording_id)
    world.media.activates = False
    room = await world.meeting()
    starting = asyncio.create_task(world.core.recordings.start(world.admin, room.room_id))
    while not (stored := await world.repositories.recordings.of_room(room.room_id)):
        await asyncio.sleep(0.005)
    with pytest.raises(RecordingNotActive, match="is not active yet"):
        await extras.pause(world.admin, stored[0].recording_id)
    world.media.change(stored[0].egress_id, status="active")
    recording = await starting
    world.recorder.silent = True
    with pytest.raises(RecorderSilent, match="is paused as soon as its recorder answers"):
        await extras.pause(world.admin, recording.recording_id)
    world.media.change(recording.egress_id, status="ending")  # nobody has told us yet
    with pytest.raises(RecordingAlreadyStopped):
        await extras.resume(world.admin, recording.recording_id)
    world.media.egress.clear()
    with pytest.raises(RecordingNotFound):
        await extras.resume(world.admin, recording.recording_id)


async def test_another_media_server(world: World) -> None:
    recording = await running(world)
    extras, world.recorder.missing = world.core.recording_extras, True
    with pytest.raises(RecorderMissing, match="The media server in use cannot pause recordings"):
        await extras.pause(world.admin, recording.recording_id)
    assert (await extras.get(world.admin, recording.recording_id)).facts == RecordingFacts()
    other = await world.meeting()
    with pytest.raises(RecorderMissing):
        await extras.start(world.admin, other.room_id, compose="after")
    assert await world.repositories.recordings.of_room(other.room_id) == []
    started = await extras.start(world.admin, other.room_id)
    assert "compose" not in started.to_document()


async def test_composing_later_is_chosen_at_the_start(world: World) -> None:
    extras = world.core.recording_extras
    started = await extras.start(world.admin, (await world.meeting()).room_id, layout="speaker", compose="after")
    assert (started.facts.compose, started.recording.layout, started.recording.status) == ("after", "speaker", "active")
    assert (await extras.get(world.admin, started.recording.recording_id)).facts.compose == "after"
    usual = await extras.start(world.admin, (await world.meeting()).room_id)
    assert usual.to_document()["compose"] == "live"


@pytest.mark.parametrize(("compose", "vp8"), [(None, False), ("after", False), (None, True)])
async def test_sound_alone(world: World, compose: Compose | None, vp8: bool) -> None:
    """Its name tells what is in it; the key is the contract's, which other media servers keep, too."""
    encoding: Any = "H264_1080P_30"
    if vp8:
        encoding = {"video": {"codec": "VP8"}, "audio": {"codec": "OPUS"}}
    started = await world.core.recording_extras.start(
        world.admin, (await world.meeting()).room_id, encoding=encoding, compose=compose, audio_only=True
    )
    recording = started.recording
    ending, kind = (".webm", "audio/webm") if vp8 else (".m4a", "audio/mp4")
    assert (recording.audio_only, recording.media_type, recording.encoding) == (True, kind, encoding)
    assert recording.filename == recording.key.rpartition("/")[2].removesuffix(".mp4") + ending
    stored = await world.repositories.recordings.get(recording.recording_id)
    assert stored is not None and stored.audio_only and stored.filename == recording.filename
    document = started.to_document()
    assert document["audioOnly"] is True and "audioOnly" not in recording.to_document()


async def test_pictures_are_recorded_unless_told_otherwise(world: World) -> None:
    started = await world.core.recording_extras.start(world.admin, (await world.meeting()).room_id)
    recording = started.recording
    assert (started.to_document()["audioOnly"], recording.media_type) == (False, "video/mp4")
    assert recording.filename == recording.key.rpartition("/")[2]


async def test_a_start_is_not_undone_by_a_question(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(egress_id: str) -> RecordingFacts:
        raise MediaServerUnavailable("getting egress", egress_id)

    monkeypatch.setattr(world.recorder, "facts", away)
    started = await world.core.recording_extras.start(world.admin, (await world.meeting()).room_id)
    assert (started.recording.status, started.facts) == ("active", RecordingFacts())


async def test_facts_outlive_the_media_servers_memory(world: World) -> None:
    recording = await finished(world)
    await world.core.recording_extras.collect()
    world.recorder.forgets, world.recorder.asked = True, 0
    known = await world.core.recording_extras.get(world.admin, recording.recording_id)
    assert known.facts == RecordingFacts(final=True, compose="live", integrity=INTEGRITY)
    document = known.to_document()
    assert document["integrity"]["pausedDuration"] == 2.5 and document["paused"] is False
    assert world.recorder.asked == 0
    await world.core.recording_extras.collect()
    assert world.recorder.asked == 0


async def test_facts_are_there_before_the_job_comes(world: World) -> None:
    recording = await finished(world)
    known = await world.core.recording_extras.get(world.admin, recording.recording_id)
    assert known.facts.integrity == INTEGRITY
    assert await world.repositories.recording_facts.missing(0, 10) == []


async def test_a_media_server_that_is_away_delays_facts(world: World) -> None:
    recording, unfinished = await finished(world), await running(world)
    world.media.down = True
    await world.core.recording_extras.collect()
    known = await world.core.recording_extras.get(world.admin, recording.recording_id)
    assert known.facts == RecordingFacts()
    with pytest.raises(MediaServerUnavailable):
        await world.core.recording_extras.get(world.admin, unfinished.recording_id)
    world.media.down = False
    await world.core.recording_extras.collect()
    kept = await world.repositories.recording_facts.get(recording.recording_id)
    assert kept is not None and kept.integrity == INTEGRITY


async def test_one_that_fails_does_not_hold_up_the_others(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    broken, ask = await finished(world), world.recorder.facts
    others = [await finished(world) for _ in range(3)]

    async def facts(egress_id: str) -> RecordingFacts | None:
        if egress_id == broken.egress_id:
            raise MediaServerError("getting egress", "internal")
        return await ask(egress_id)

    monkeypatch.setattr(world.recorder, "facts", facts)
    await world.core.recording_extras.collect()
    missing = await world.repositories.recording_facts.missing(0, 10)
    assert missing == [(broken.recording_id, broken.egress_id)]
    assert len(await world.repositories.recording_facts.missing(0, 0)) == 0
    kept = [await world.repositories.recording_facts.get(other.recording_id) for other in others]
    assert all(each is not None and each.integrity == INTEGRITY for each in kept)


async def test_a_media_server_that_fails_is_not_asked_about_everything(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(7):
        await finished(world)
    asked: list[str] = []

    async def facts(egress_id: str) -> RecordingFacts | None:
        asked.append(egress_id)
        raise MediaServerError("getting egress", "internal")

    monkeypatch.setattr(world.recorder, "facts", facts)
    await world.core.recording_extras.collect()
    assert len(asked) == 5


async def test_what_cannot_be_known_is_asked_once(world: World) -> None:
    first = await finished(world)
    world.recorder.forgets = True
    await world.core.recording_extras.collect()
    world.recorder.forgets, world.recorder.missing = False, True
    second = await finished(world)
    await world.core.recording_extras.collect()
    asked = world.recorder.asked
    for recording in (first, second):
        known = await world.core.recording_extras.get(world.admin, recording.recording_id)
        assert known.facts == RecordingFacts(final=True)
    assert world.recorder.asked == asked


async def test_old_recordings_are_left_alone(world: World) -> None:
    await finished(world)
    world.clock.advance(8 * DAY_S)
    await world.core.recording_extras.collect()
    assert world.recorder.asked == 0


async def test_facts_are_written_once_and_only_at_the_end(world: World) -> None:
    facts = world.repositories.recording_facts
    unfinished, done = await running(world), await finished(world)
    told = RecordingFacts(final=True, compose="after", integrity=INTEGRITY)
    assert not await facts.keep(unfinished.recording_id, told)
    assert not await facts.keep("nope--EG_1--0123456789", told)
    assert await facts.keep(done.recording_id, told)
    assert not await facts.keep(done.recording_id, replace(told, compose="live"))
    assert await facts.get(done.recording_id) == told
    assert await facts.get(unfinished.recording_id) is None
