"""Egress events in every order end in the same state."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import replace

import pytest

from meet.core.model.recording import IN_PROGRESS, TERMINAL, Egress, Recording, RecordingStatus, reachable_from
from meet.core.model.webhook import Announcement
from meet.core.webhook_events import WebhookEvents
from tests.unit.core.conftest import World

ORDER: tuple[RecordingStatus, ...] = ("starting", "active", "ending", "complete")


def egress(world: World, room_id: str, status: RecordingStatus = "active", uid: str = "0123456789") -> Egress:
    return Egress(
        egress_id="EG_elsewhere1",
        room_name=room_id,
        status=status,
        layout="grid",
        encoding="H264_720P_30",
        key=f"openvidu-meet/recordings/{room_id}/{room_id}--{uid}.mp4",
        started_at_ms=world.clock.now,
        updated_at_ms=world.clock.now,
    )


def test_nothing_leaves_a_final_status() -> None:
    for status in (*IN_PROGRESS, *TERMINAL):
        assert not reachable_from(status) & TERMINAL
    assert reachable_from("starting") == {"starting"}
    assert reachable_from("active") == {"starting", "active"}


@pytest.mark.parametrize("order", list(itertools.permutations(ORDER)))
async def test_any_order_of_events(world: World, order: tuple[RecordingStatus, ...]) -> None:
    room = await world.room()
    best = -1
    for status in order:
        await world.core.media_events.egress_changed(egress(world, room.room_id, status))
        best = max(best, ORDER.index(status))
        (stored,) = await world.repositories.recordings.of_room(room.room_id)
        assert stored.status == ORDER[best]
        assert bool(await world.repositories.recordings.locks()) == (best < 3)


async def test_parallel_duplicates_make_one_recording(world: World) -> None:
    room = await world.room()
    events = [egress(world, room.room_id, status) for status in ORDER for _ in range(5)]
    await asyncio.gather(*(world.core.media_events.egress_changed(event) for event in events))
    (stored,) = await world.repositories.recordings.of_room(room.room_id)
    assert stored.status == "complete"


async def test_unknown_egress_of_our_room_becomes_a_recording_and_holds_the_lock(world: World) -> None:
    room = await world.room()
    await world.core.media_events.egress_changed(egress(world, room.room_id))
    (stored,) = await world.repositories.recordings.of_room(room.room_id)
    assert stored.recording_id == f"{room.room_id}--EG_elsewhere1--0123456789"
    assert (stored.status, stored.room_owner) == ("active", "admin")
    assert not await world.repositories.recordings.acquire_lock(room.room_id, "key", world.clock.now)


async def test_foreign_egress_is_none_of_our_business(world: World) -> None:
    room = await world.room()
    foreign = replace(egress(world, room.room_id), key="somewhere/else.mp4")
    await world.core.media_events.egress_changed(foreign)
    await world.core.media_events.egress_changed(egress(world, "nowhere"))
    assert world.media.stopped == []  # another deployment on the same media server
    assert await world.repositories.recordings.of_room(room.room_id) == []


async def test_a_recording_from_before_the_prefix_was_changed_ends_as_any_other(world: World) -> None:
    room = await world.room()
    before = replace(egress(world, room.room_id), key=f"old/recordings/{room.room_id}/{room.room_id}--0123456789.mp4")
    await world.core.media_events.egress_changed(before)
    await world.core.media_events.egress_changed(replace(before, status="complete"))
    (stored,) = await world.repositories.recordings.of_room(room.room_id)
    assert (stored.status, stored.key) == ("complete", before.key)
    assert not await world.repositories.recordings.locks()


async def test_final_facts_are_kept(world: World) -> None:
    room = await world.room()
    await world.core.media_events.egress_changed(egress(world, room.room_id))
    failed = replace(egress(world, room.room_id, "failed"), error="no space", error_code=28, details="disk", size=10)
    await world.core.media_events.egress_changed(failed)
    await world.core.media_events.egress_changed(egress(world, room.room_id, "complete"))
    (stored,) = await world.repositories.recordings.of_room(room.room_id)
    assert (stored.status, stored.error, stored.error_code, stored.details) == ("failed", "no space", 28, "disk")


async def test_the_store_is_the_one_that_has_the_file(world: World) -> None:
    """The settings were changed between its beginning and its end; an external media server does not say."""
    room = await world.room()
    begun = replace(egress(world, room.room_id), store="s3://old:9000/b")
    for told, known in ((begun, "s3://old:9000/b"), (replace(begun, status="ending", store=None), "s3://old:9000/b")):
        await world.core.media_events.egress_changed(told)
        (stored,) = await world.repositories.recordings.of_room(room.room_id)
        assert stored.store == known
    await world.core.media_events.egress_changed(replace(begun, status="complete", store="s3://new:9000/b"))
    (stored,) = await world.repositories.recordings.of_room(room.room_id)
    assert stored.store == "s3://new:9000/b"


async def test_secrets_survive_events(world: World) -> None:
    room = await world.room()
    await world.core.media_events.egress_changed(egress(world, room.room_id))
    (before,) = await world.repositories.recordings.of_room(room.room_id)
    await world.core.media_events.egress_changed(egress(world, room.room_id, "complete"))
    (after,) = await world.repositories.recordings.of_room(room.room_id)
    assert (after.public_secret, after.private_secret) == (before.public_secret, before.private_secret)


async def test_why_nothing_can_be_stored_is_shown_until_it_can(world: World) -> None:
    room = await world.room()
    active = egress(world, room.room_id, "active")
    await world.core.media_events.egress_changed(active)
    for details in ("what is recorded cannot be stored yet: The object store does not answer.", None):
        await world.core.media_events.egress_changed(replace(active, details=details))
        (stored,) = await world.repositories.recordings.of_room(room.room_id)
        assert (stored.status, stored.details) == ("active", details)


async def test_why_an_ending_takes_its_time_is_shown_but_not_announced(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = await world.room()
    ending = egress(world, room.room_id, "ending")
    await world.core.media_events.egress_changed(ending)
    announced: list[str] = []
    changed = WebhookEvents.recording_changed

    def note(events: WebhookEvents, recording: Recording) -> Announcement:
        announced.append(recording.status)
        return changed(events, recording)

    monkeypatch.setattr(WebhookEvents, "recording_changed", note)
    for details in ("The object store does not answer.", "The S3 bucket 'a' does not exist."):
        await world.core.media_events.egress_changed(replace(ending, details=details))
        (stored,) = await world.repositories.recordings.of_room(room.room_id)
        assert (stored.status, stored.details) == ("ending", details)
    assert announced == []
    await world.core.media_events.egress_changed(replace(ending, status="complete"))
    assert announced == ["complete"]
