"""Webhooks as operators see them: configuration, test request, outbox (contract 2.5.4, 5, and our own operations)."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import AsyncIterator

import pytest

from .calls import call
from .world import API_KEY, Scene

pytestmark = pytest.mark.asyncio(loop_scope="session")

CONFIG = "/internal-api/v1/config/webhooks"
DELIVERIES = "/api/extra/v1/webhooks/deliveries"
URL = "https://receiver.example/events?channel=1"


@pytest.fixture
async def switched_on(scene: Scene) -> AsyncIterator[Scene]:
    await call(scene, "PUT", CONFIG, who="admin", json={"enabled": True, "url": URL})
    yield scene
    await call(scene, "PUT", CONFIG, who="admin", json={"enabled": False})


async def test_switching_off_keeps_the_url(scene: Scene) -> None:
    for change in ({"enabled": True, "url": URL, "extra": 1}, {"enabled": False}):
        stored = (await call(scene, "PUT", CONFIG, who="admin", json=change)).json()
        assert stored == {"enabled": change["enabled"], "url": URL}
        assert (await call(scene, "GET", CONFIG, who="admin")).json() == stored


async def test_everything_that_is_wrong_with_a_url_is_told(scene: Scene) -> None:
    cases = {
        "not a url": ["Must be a valid URL", "URL must start with http:// or https://"],
        "localhost:5080": ["URL must start with http:// or https://"],
        "http://": ["Must be a valid URL"],
        "": [
            "Must be a valid URL",
            "URL must start with http:// or https://",
            "URL is required when webhooks are enabled",
        ],
    }
    for url, texts in cases.items():
        body = (await call(scene, "PUT", CONFIG, 422, who="admin", json={"enabled": True, "url": url})).json()
        assert body["details"] == [{"field": "url", "message": text} for text in texts], url


async def test_the_test_event_is_signed_with_the_key(scene: Scene) -> None:
    body = (await call(scene, "POST", f"{CONFIG}/test", who="nobody", json={"url": URL})).json()
    assert body == {"message": "Webhook URL is valid"}
    url, headers, sent = scene.world.receiver.got[-1]
    document = json.loads(sent)
    expected = hmac.new(API_KEY.encode(), headers["X-Timestamp"].encode() + b"." + sent, hashlib.sha256)
    assert (url, headers["X-Signature"]) == (URL, expected.hexdigest())
    assert list(document) == ["event", "creationDate", "data"]
    assert headers["X-Timestamp"] == str(document["creationDate"])


async def test_a_meeting_is_in_the_outbox_with_links_as_its_participants_know_them(switched_on: Scene) -> None:
    scene = switched_on
    secret = scene.room.access["anonymous"]["speaker"]["secret"]
    token = "https://meet.example/internal-api/v1/rooms/{room}/members/token"
    await call(scene, "POST", token, who="nobody", json={"secret": secret}, judged=False)
    await scene.world.core.media_events.room_started(scene.room.room_id, None)
    query = {"subject": scene.room.room_id}
    (listed,) = (await call(scene, "GET", DELIVERIES, params=query)).json()["deliveries"]
    assert "payload" not in listed
    assert (listed["event"], listed["status"], listed["attempts"]) == ("meetingStarted", "pending", 0)
    shown = (await call(scene, "GET", f"{DELIVERIES}/{listed['deliveryId']}", who="admin")).json()
    payload = shown.pop("payload")
    assert shown == listed
    assert (payload["event"], payload["creationDate"]) == ("meetingStarted", listed["creationDate"])
    room = (await call(scene, "GET", "/api/v1/rooms/{room}", params={"extraFields": "config,roles"})).json()
    room.pop("_extraFields")
    assert payload["data"] == room


async def test_deliveries_are_paged_and_sent_again(switched_on: Scene) -> None:
    scene = switched_on
    events = scene.world.core.media_events
    await events.room_started(scene.room.room_id, None)
    await events.room_finished(scene.room.room_id, None)
    query = {"subject": scene.room.room_id, "maxItems": "1", "sortOrder": "asc"}
    first = (await call(scene, "GET", DELIVERIES, params=query)).json()
    rest = {**query, "nextPageToken": first["pagination"]["nextPageToken"]}
    second = (await call(scene, "GET", DELIVERIES, params=rest)).json()
    assert [page["deliveries"][0]["event"] for page in (first, second)] == ["meetingStarted", "meetingEnded"]
    assert second["pagination"] == {"isTruncated": False, "maxItems": 1}
    asked = (await call(scene, "POST", f"{DELIVERIES}/{first['deliveries'][0]['deliveryId']}/redeliver", 202)).json()
    assert (asked["status"], asked["attempts"]) == ("pending", 0)
    assert asked["nextAttemptDate"] >= first["deliveries"][0]["nextAttemptDate"]
