"""Webhooks over real sockets: signature, order, retries, bounds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import yarl
from livekit.protocol import models as pb
from livekit.protocol.webhook import WebhookEvent

from meet.media.hooks import Limits, WebhookSender
from meet.media.hooks.lane import Delivery, Lane
from meet.media.room import RoomRegistry
from meet.media.twirp.egress_model import EgressEvent, EgressRequest, EgressState
from tests.unit.media.hooks.receiver import KEY, SECRET, Receiver
from tests.unit.media.twirp.fakes import join, publish

FAST = Limits(first_delay_s=0.01, longest_delay_s=0.05)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver() as running:
        yield running


def sender_to(receiver: Receiver, limits: Limits = FAST) -> WebhookSender:
    return WebhookSender(receiver.url, KEY, SECRET, limits=limits)


async def test_the_life_of_a_room_in_order(receiver: Receiver) -> None:
    sender, registry = sender_to(receiver), RoomRegistry()
    registry.add_listener(sender.on_room_event)
    room = registry.create("a")
    room.update_metadata('{"createdBy":"me"}')
    join(room, "ann")
    publish(room, "ann")
    registry.delete("a")
    events = await receiver.wait_for(6)
    assert receiver.names == [
        "room_started",
        "participant_joined",
        "track_published",
        "track_unpublished",
        "participant_left",
        "room_finished",
    ]
    assert receiver.problems == []
    assert len({event.id for event in events}) == 6
    assert all(event.created_at > 1_700_000_000 and event.room.name == "a" for event in events)
    assert (events[1].participant.identity, events[1].room.metadata) == ("ann", '{"createdBy":"me"}')
    assert events[2].track.sid == "TR_mic"
    # Taken when it happened: the member was active then, whatever became of it before delivery.
    assert events[1].participant.state == pb.ParticipantInfo.State.ACTIVE
    assert events[4].participant.disconnect_reason == pb.DisconnectReason.ROOM_DELETED
    await sender.close()


async def test_retries_keep_the_order_and_other_rooms_do_not_wait(receiver: Receiver) -> None:
    blocked = True

    def verdict(event: WebhookEvent, attempt: int) -> int:
        if event.room.name == "slow":
            return 503 if blocked or attempt < 3 else 200
        return 200

    receiver.verdict = verdict
    sender = sender_to(receiver)
    for number in range(5):
        sender.send(WebhookEvent(event=f"e{number}", room=pb.Room(name="slow")), room="slow")
    sender.send(WebhookEvent(event="other", room=pb.Room(name="fast")), room="fast")
    await receiver.wait_for(1)
    assert receiver.names == ["other"]
    blocked = False
    await receiver.wait_for(6)
    assert receiver.names == ["other", "e0", "e1", "e2", "e3", "e4"]
    first = receiver.attempts[0]
    assert receiver.attempts.count(first) >= 3 and len(set(receiver.attempts)) == 6  # the same id every time
    await sender.close()


async def test_a_receiver_that_comes_up_late_gets_everything() -> None:
    async with Receiver() as early:
        url = early.url
    sender = WebhookSender(url, KEY, SECRET, limits=FAST)
    told: list[str] = []
    for name in ("one", "two"):
        sender.send(WebhookEvent(event=name), room="a", delivered=lambda name=name: told.append(name))  # type: ignore[misc]
    await asyncio.sleep(0.1)  # some refused connections
    assert told == []
    async with Receiver(port=yarl.URL(url).port) as late:
        await late.wait_for(2)
        await sender.close()
        assert late.names == told == ["one", "two"]


async def test_egress_events_keep_their_id_and_are_confirmed_after_delivery(receiver: Receiver) -> None:
    sender = sender_to(receiver)
    receiver.verdict = lambda _event, attempt: 500 if attempt == 1 else 200
    confirmed: list[str] = []
    state = EgressState("EG_1", EgressRequest("a", "RM_1", "grid", "H264_720P_30", "k.mp4"), status="complete")
    sender.on_egress_event(EgressEvent("egress_ended", state, "EV_1", lambda: confirmed.append("x")))
    (event,) = await receiver.wait_for(1)
    await sender.close()
    assert (event.event, event.id, event.egress_info.egress_id) == ("egress_ended", "EV_1", "EG_1")
    assert confirmed == ["x"]


async def test_gives_up_in_the_end_and_goes_on(receiver: Receiver) -> None:
    receiver.verdict = lambda event, _attempt: 500 if event.event == "poison" else 200
    sender = sender_to(receiver, Limits(first_delay_s=0.01, longest_delay_s=0.02, give_up_after_s=0.1))
    sender.send(WebhookEvent(event="poison"), room="a")
    await asyncio.sleep(0.15)
    sender.send(WebhookEvent(event="next"), room="a")
    await receiver.wait_for(1)
    assert receiver.names == ["next"]
    await sender.close()


async def test_close_does_not_wait_for_a_dead_receiver(receiver: Receiver) -> None:
    receiver.verdict = lambda _event, _attempt: 500
    sender = sender_to(receiver)
    sender.send(WebhookEvent(event="e"), room="a")
    await sender.close(grace_s=0.05)
    await asyncio.sleep(0.2)  # the receiver may still be reading what was on its way
    seen = len(receiver.attempts)
    sender.send(WebhookEvent(event="late"), room="a")
    await asyncio.sleep(0.1)
    assert len(receiver.attempts) == seen


async def test_what_waits_is_bounded(receiver: Receiver) -> None:
    open_gate = False
    receiver.verdict = lambda _event, _attempt: 200 if open_gate else 500
    sender = sender_to(receiver, Limits(first_delay_s=0.01, longest_delay_s=0.02, waiting_in_all=4))
    for number in range(10):
        sender.send(WebhookEvent(event=f"e{number}"), room="a")
    open_gate = True
    await receiver.wait_for(4)
    await sender.close()
    assert receiver.names == ["e6", "e7", "e8", "e9"]


def test_a_full_lane_gives_up_participants_before_recordings() -> None:
    lane = Lane("a")
    for name in ("egress_started", "participant_joined", "track_published", "egress_ended", "room_finished"):
        lane.push(Delivery(name, b"", 0.0), limit=3)
    assert [d.name for d in lane.waiting] == ["egress_started", "egress_ended", "room_finished"]
    assert lane.dropped == 2
    lane.push(Delivery("room_started", b"", 0.0), limit=3)
    assert [d.name for d in lane.waiting] == ["egress_ended", "room_finished", "room_started"]
