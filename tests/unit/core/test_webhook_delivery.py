"""The delivery task: order, retries, restarts, slow and absent receivers (contract 5.4, and our outbox)."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable

import pytest

from meet.core.errors import InsufficientPermissions
from meet.core.model.paging import PageRequest
from meet.core.model.webhook import DeliveryFilter, WebhookDelivery
from meet.core.webhook_delivery import NO_API_KEY, DeliveryPolicy, WebhookDispatcher
from meet.core.webhook_errors import NoSigningKey, WebhookDeliveryNotFound, WebhookUrlInvalid
from tests.unit.core.conftest import API_KEY, World

URL = "https://receiver.example/events"
MINUTE = 60.0
DAY = 24 * 60 * MINUTE


@pytest.fixture
async def running(world: World) -> AsyncIterator[World]:
    await world.core.webhooks.configure(world.admin, True, URL)
    world.core.dispatcher.start()
    yield world
    await world.core.dispatcher.stop(0.05)


async def deliveries(world: World) -> list[WebhookDelivery]:
    page = await world.core.webhooks.deliveries(world.admin, DeliveryFilter(), PageRequest("creationDate", "asc", 100))
    return sorted(page.items, key=lambda delivery: delivery.position)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(40):
        while not condition():
            await asyncio.sleep(0.01)


async def settled(world: World, *statuses: str) -> list[WebhookDelivery]:
    """The deliveries, as soon as their statuses are these."""
    async with asyncio.timeout(40):
        while True:
            found = await deliveries(world)
            if [each.status for each in found] == list(statuses):
                return found
            await asyncio.sleep(0.01)


async def tried(world: World, attempts: int) -> WebhookDelivery:
    """The first delivery, as soon as it has had this many attempts and waits again."""
    async with asyncio.timeout(40):
        while (found := (await deliveries(world))[0]).attempts < attempts:
            await asyncio.sleep(0.01)
    return found


def names(world: World) -> list[str]:
    return [json.loads(body)["event"] for _, _, body in world.receiver.got]


def verify(headers: dict[str, str], body: bytes, key: str = API_KEY) -> None:
    expected = hmac.new(key.encode(), headers["X-Timestamp"].encode() + b"." + body, hashlib.sha256).hexdigest()
    assert hmac.compare_digest(headers["X-Signature"], expected)


async def test_a_delivery_carries_its_signature_and_is_kept_as_delivered(running: World) -> None:
    room = await running.meeting()
    (delivery,) = await settled(running, "delivered")
    ((url, headers, body),) = running.receiver.got
    assert url == URL
    verify(headers, body)
    assert headers["X-Timestamp"] == str(json.loads(body)["creationDate"])
    assert headers["X-Delivery-Id"] == delivery.delivery_id
    assert (delivery.subject, delivery.attempts, delivery.response_status) == (room.room_id, 1, 200)


async def test_a_room_is_told_in_order_and_others_need_not_wait(running: World) -> None:
    running.receiver.down = True
    first, second = await running.meeting(), await running.meeting()
    await running.end_meeting(first.room_id)
    await running.end_meeting(second.room_id)
    async with asyncio.timeout(40):  # the first event of each room is tried, the second waits for it
        while sorted(each.attempts for each in await deliveries(running)) != [0, 0, 1, 1]:
            await asyncio.sleep(0.01)
    running.receiver.down = False
    running.clock.advance(MINUTE)
    await settled(running, *["delivered"] * 4)
    for room in (first, second):
        mine = [json.loads(body) for _, _, body in running.receiver.got]
        assert [each["event"] for each in mine if each["data"]["roomId"] == room.room_id] == [
            "meetingStarted",
            "meetingEnded",
        ]


async def test_the_first_success_after_an_outage_brings_the_rest_at_once(running: World) -> None:
    running.receiver.down = True
    for _ in range(3):
        await running.meeting()
    await settled(running, *["pending"] * 3)
    await until(lambda: running.receiver.busy == 0)
    await tried(running, 1)
    running.receiver.down = False
    await running.meeting()  # a new one is sent at once; the clock stands still, so the others are not due
    await settled(running, *["delivered"] * 4)


async def test_pauses_grow_up_to_a_minute_and_a_day_later_it_is_given_up(running: World) -> None:
    running.receiver.status = 503
    await running.meeting()
    pauses = []
    for attempts in range(1, 14):
        waiting = await tried(running, attempts)
        pauses.append((waiting.next_attempt_at - running.clock.now) / 20)
        running.clock.advance((waiting.next_attempt_at - running.clock.now + 1) / 1000)
    for number, pause in enumerate(pauses[:11]):
        assert 2**number <= pause <= 2**number * 1.2 + 0.1
    assert pauses[-1] <= 60_000 * 1.2 / 20
    running.clock.advance(DAY)
    (over,) = await settled(running, "failed")
    assert (over.error, over.response_status) == ("503 Said So", 503)


async def test_an_hour_of_silence_loses_nothing_and_the_signature_is_fresh(running: World) -> None:
    running.receiver.down = True
    room = await running.meeting()
    await running.end_meeting(room.room_id)
    await tried(running, 1)
    running.clock.advance(60 * MINUTE)
    running.receiver.down = False
    await settled(running, "delivered", "delivered")
    assert names(running) == ["meetingStarted", "meetingEnded"]
    for _, headers, body in running.receiver.got:
        verify(headers, body)
        assert running.clock.now - int(headers["X-Timestamp"]) < 2 * MINUTE * 1000
        assert running.clock.now - json.loads(body)["creationDate"] >= 60 * MINUTE * 1000


async def test_what_one_process_leaves_another_delivers(running: World) -> None:
    running.receiver.delay_s = 30
    await running.meeting()
    await until(lambda: running.receiver.busy == 1)
    await running.core.dispatcher.stop(0)
    running.receiver.delay_s = 0
    successor = WebhookDispatcher(
        outbox=running.repositories.outbox,
        accounts=running.repositories.accounts,
        transport=running.receiver,
        clock=running.clock,
        project_id="openviduMeet",
    )
    successor.start()
    await settled(running, "delivered")
    await successor.stop()


async def test_the_claim_of_a_process_that_died_runs_out(running: World) -> None:
    await running.core.dispatcher.stop()
    await running.meeting()
    outbox = running.repositories.outbox
    now = running.clock.now
    assert len(await outbox.claim(now, now + 15_000, 10)) == 1
    assert await outbox.claim(now + 14_999, now + 30_000, 10) == []
    assert await outbox.next_due() == now + 15_000
    assert len(await outbox.claim(now + 15_000, now + 30_000, 10)) == 1


async def test_a_slow_receiver_gets_no_more_than_so_many_requests_at_once(running: World) -> None:
    running.receiver.delay_s = 0.05
    for _ in range(40):
        await running.meeting()
    await settled(running, *["delivered"] * 40)
    assert 2 <= running.receiver.busiest <= DeliveryPolicy().parallel


async def test_configuration_and_key_count_when_it_is_sent(running: World) -> None:
    running.receiver.down = True
    room = await running.meeting()
    await running.end_meeting(room.room_id)
    await tried(running, 1)
    running.receiver.down = False
    await running.core.webhooks.configure(running.admin, True, "https://elsewhere.example/")
    await settled(running, "delivered", "delivered")
    assert {url for url, _, _ in running.receiver.got} == {"https://elsewhere.example/"}


async def test_switching_off_discards_and_a_redelivery_brings_it_back(running: World) -> None:
    running.receiver.down = True
    await running.meeting()
    await tried(running, 1)
    running.receiver.down = False
    await running.core.webhooks.configure(running.admin, False, None)
    (discarded,) = await settled(running, "discarded")
    assert running.receiver.got == []
    await running.core.webhooks.configure(running.admin, True, None)
    asked = await running.core.webhooks.redeliver(running.admin, discarded.delivery_id)
    assert (asked.status, asked.attempts) == ("pending", 0)
    await settled(running, "delivered")
    assert names(running) == ["meetingStarted"]


async def test_a_redelivery_goes_to_the_end_of_the_queue(running: World) -> None:
    room = await running.meeting()
    (first,) = await settled(running, "delivered")
    running.receiver.status = 400
    await running.end_meeting(room.room_id)
    await running.core.webhooks.redeliver(running.admin, first.delivery_id)
    assert [each.event for each in await deliveries(running)] == ["meetingEnded", "meetingStarted"]


async def test_without_a_key_it_waits(running: World) -> None:
    keys = running.repositories.accounts.api_keys

    async def none() -> list[object]:
        return []

    running.repositories.accounts.api_keys = none  # type: ignore[method-assign, assignment]
    await running.meeting()
    assert (await tried(running, 1)).error == NO_API_KEY
    running.repositories.accounts.api_keys = keys  # type: ignore[method-assign]
    running.clock.advance(MINUTE)
    await settled(running, "delivered")


async def test_old_history_is_forgotten_and_what_waits_is_not(running: World) -> None:
    await running.meeting()
    await settled(running, "delivered")
    running.receiver.down = True
    await running.meeting()
    running.clock.advance(8 * DAY)
    await running.core.webhooks.clean_up()
    assert len(await deliveries(running)) == 1


async def test_the_test_request_says_what_is_wrong(world: World) -> None:
    await world.core.webhooks.test(URL)
    ((_, headers, body),) = world.receiver.got
    verify(headers, body)
    document = json.loads(body)
    assert (document["event"], document["data"]) == ("testEvent", {"message": "This is a test webhook event"})
    for status, reason in (
        (500, "Server error (500 Said So)"),
        (404, "Client error (404 Said So)"),
        (302, "Unexpected response (302)"),
    ):
        world.receiver.status = status
        with pytest.raises(WebhookUrlInvalid) as refused:
            await world.core.webhooks.test(URL)
        assert refused.value.message == f"Webhook URL '{URL}' is invalid: {reason}"
    world.receiver.down = True
    with pytest.raises(WebhookUrlInvalid, match="Connection refused by server"):
        await world.core.webhooks.test(URL)


async def test_the_test_request_needs_a_key(world: World) -> None:
    async def none() -> list[object]:
        return []

    world.repositories.accounts.api_keys = none  # type: ignore[method-assign, assignment]
    with pytest.raises(NoSigningKey):
        await world.core.webhooks.test(URL)


async def test_the_outbox_is_for_administrators(world: World) -> None:
    manager = await world.user("manager", "room_manager")
    with pytest.raises(InsufficientPermissions):
        await world.core.webhooks.config(manager)
    with pytest.raises(InsufficientPermissions):
        await world.core.webhooks.redeliver(manager, "WD_1")
    with pytest.raises(WebhookDeliveryNotFound):
        await world.core.webhooks.delivery(world.admin, "WD_1")
