"""Which events go to the outbox, when, and what they say (contract 5.1 to 5.3)."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from dataclasses import replace
from typing import Any

import pytest

from meet.core.model.paging import PageRequest
from meet.core.model.webhook import DeliveryFilter, WebhookDelivery
from meet.core.recording_errors import RecordingStartTimeout
from meet.core.webhook_events import envelope, signed_headers
from tests.unit.core.conftest import World

URL = "https://receiver.example/events"


@pytest.fixture(autouse=True)
async def switched_on(world: World) -> None:
    await world.core.webhooks.configure(world.admin, True, URL)


async def outbox(world: World, subject: str | None = None) -> list[WebhookDelivery]:
    request = PageRequest("creationDate", "asc", 100)
    page = await world.core.webhooks.deliveries(world.admin, DeliveryFilter(subject=subject), request)
    return sorted(page.items, key=lambda delivery: delivery.position)


async def told(world: World, subject: str | None = None) -> list[str]:
    return [delivery.event for delivery in await outbox(world, subject)]


def data(delivery: WebhookDelivery) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(delivery.body)
    assert list(document) == ["event", "creationDate", "data"]
    assert (document["event"], document["creationDate"]) == (delivery.event, delivery.creation_date)
    inner: dict[str, Any] = document["data"]
    return inner


async def test_a_meeting_is_announced_with_everything_about_its_room(world: World) -> None:
    room = await world.meeting(room_name="Sala – Médica")
    await world.end_meeting(room.room_id)
    started, ended = await outbox(world)
    assert (started.event, ended.event) == ("meetingStarted", "meetingEnded")
    assert started.subject == ended.subject == room.room_id
    document = data(started)
    assert document["status"] == "active_meeting"
    assert data(ended)["status"] == "open"
    assert {"config", "roles", "rolesUpdatedAt", "meetingEndAction"} <= set(document)
    assert "autoDeletionDate" not in document
    secret = room.access["anonymous"]["moderator"]["secret"]
    link = f"https://meet.example/meet/room/{room.room_id}?secret={secret}"
    assert document["access"]["anonymous"]["moderator"]["url"] == link
    assert "Sala – Médica" in started.body


async def test_each_meeting_starts_and_ends_once_however_often_it_is_said(world: World) -> None:
    room = await world.meeting()
    events = world.core.media_events
    await events.room_started(room.room_id, None)
    await world.core.rooms.update_status(world.admin, room.room_id, "open")
    await world.core.lifecycle.reconcile()
    await world.end_meeting(room.room_id)
    await events.room_finished(room.room_id, None)
    assert await told(world) == ["meetingStarted", "meetingEnded"]
    await world.meeting()
    assert len(await told(world)) == 3


async def test_a_meeting_whose_room_was_set_open_meanwhile_still_ends(world: World) -> None:
    room = await world.meeting()
    await world.core.rooms.update_status(world.admin, room.room_id, "open")
    await world.end_meeting(room.room_id)
    assert await told(world, room.room_id) == ["meetingStarted", "meetingEnded"]


async def test_a_room_that_goes_with_its_meeting_is_shown_as_last_known(world: World) -> None:
    room = await world.meeting()
    await world.core.rooms.delete(world.admin, room.room_id, with_meeting="when_meeting_ends")
    await world.end_meeting(room.room_id)
    assert await world.repositories.rooms.get(room.room_id) is None
    ended = (await outbox(world))[-1]
    assert ended.event == "meetingEnded"
    assert (data(ended)["status"], data(ended)["meetingEndAction"]) == ("active_meeting", "delete")


async def test_nothing_is_said_without_a_meeting(world: World) -> None:
    room = await world.room()
    await world.core.media_events.room_finished(room.room_id, None)
    await world.core.rooms.update_status(world.admin, room.room_id, "closed")
    await world.core.rooms.delete(world.admin, room.room_id)
    assert await told(world) == []


async def test_nothing_is_kept_while_webhooks_are_off_but_the_end_of_a_meeting_is_known(world: World) -> None:
    await world.core.webhooks.configure(world.admin, False, None)
    room = await world.meeting()
    assert await told(world) == []
    await world.core.webhooks.configure(world.admin, True, URL)
    await world.end_meeting(room.room_id)
    assert await told(world) == ["meetingEnded"]


async def test_a_recording_is_announced_from_its_start_to_its_end(world: World) -> None:
    room = await world.meeting()
    recording = await world.core.recordings.start(world.admin, room.room_id)
    await world.core.recordings.stop(world.admin, recording.recording_id)
    for _ in range(2):
        await world.core.media_events.egress_changed(world.media.complete(recording.egress_id))
    events = await outbox(world, recording.recording_id)
    assert [(event.event, data(event)["status"]) for event in events] == [
        ("recordingStarted", "starting"),
        ("recordingUpdated", "active"),
        ("recordingUpdated", "ending"),
        ("recordingEnded", "complete"),
    ]
    last = data(events[-1])
    assert (last["recordingId"], last["size"], last["duration"]) == (recording.recording_id, 1234, 5.5)
    assert "endDate" not in data(events[0])


@pytest.mark.parametrize("start_timeout_s", [1.5])
async def test_a_start_that_is_announced_and_fails_gets_an_end(world: World) -> None:
    world.media.activates = False
    room = await world.meeting()
    with pytest.raises(RecordingStartTimeout):
        await world.core.recordings.start(world.admin, room.room_id)
    events = [delivery for delivery in await outbox(world) if delivery.subject != room.room_id]
    assert [(event.event, data(event)["status"]) for event in events] == [
        ("recordingStarted", "starting"),
        ("recordingEnded", "failed"),
    ]


async def test_an_event_is_kept_exactly_when_its_cause_is(world: World) -> None:
    room = await world.room()

    def broken(_room: object) -> Any:
        raise RuntimeError("no announcement")

    with pytest.raises(RuntimeError):
        await world.repositories.rooms.modify(room.room_id, lambda each: replace(each, room_name="New"), broken)
    assert (await world.stored(room.room_id)).room_name == room.room_name
    assert await told(world) == []


def test_the_body_is_what_javascript_would_write() -> None:
    body = envelope("testEvent", 5, {"a": 1.0, "b": 1.5, "c": None, "d": [2.0, {"e": "é\n"}], "f": True})
    assert body == '{"event":"testEvent","creationDate":5,"data":{"a":1,"b":1.5,"d":[2,{"e":"é\\n"}],"f":true}}'


def test_the_signature_covers_time_and_body() -> None:
    headers = signed_headers("{é}".encode(), 1731000000000, "ovmeet-key")
    expected = hmac.new(b"ovmeet-key", b"1731000000000." + "{é}".encode(), hashlib.sha256).hexdigest()
    assert headers == {
        "Content-Type": "application/json",
        "X-Timestamp": "1731000000000",
        "X-Signature": expected,
    }


async def test_news_that_comes_twice_at_once_is_told_once(world: World) -> None:
    room = await world.meeting()
    recording = await world.core.recordings.start(world.admin, room.room_id)
    ending = world.media.change(recording.egress_id, status="ending")
    await asyncio.gather(*(world.core.media_events.egress_changed(ending) for _ in range(5)))
    assert (await told(world, recording.recording_id))[2:] == ["recordingUpdated"]


async def test_a_recording_that_goes_with_its_room_gets_an_end(world: World) -> None:
    room = await world.meeting()
    recording = await world.core.recordings.start(world.admin, room.room_id)
    await world.core.rooms.delete(world.admin, room.room_id, with_meeting="when_meeting_ends", with_recordings="force")
    await world.end_meeting(room.room_id)
    events = await outbox(world, recording.recording_id)
    assert (events[-1].event, data(events[-1])["status"]) == ("recordingEnded", "aborted")
    await world.core.media_events.egress_changed(world.media.complete(recording.egress_id))
    assert len(await outbox(world, recording.recording_id)) == len(events)
    assert await told(world, room.room_id) == ["meetingStarted", "meetingEnded"]
