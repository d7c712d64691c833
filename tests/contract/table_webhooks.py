"""Webhook configuration and the outbox: contract 2.5.4, 5.5, and our own operations."""

# ruff: noqa: E501  (a table reads best with one exchange per line)
from __future__ import annotations

from meet.core.callers import Caller
from meet.core.model.paging import PageRequest
from meet.core.model.webhook import DeliveryFilter

from .table import TOO_LARGE, Operation, Situation, Stage
from .table_internal import Exchange, accounts_gone, editor, forged, key, user
from .table_rooms import failing
from .world import Scene

CONFIG = "/internal-api/v1/config/webhooks"
TEST = f"{CONFIG}/test"
DELIVERIES = "/api/extra/v1/webhooks/deliveries"
URL = "https://receiver.example/events"
ON = {"enabled": True, "url": URL}
WEAK = "URL must start with http:// or https://"


async def unwilling(scene: Scene) -> None:
    scene.world.receiver.status = 404


async def delivered(scene: Scene) -> None:
    """Something in the outbox; nobody sends it."""
    world = scene.world
    admin = Caller("api_key", user=await world.repositories.accounts.get_user("admin"))
    await world.core.webhooks.configure(admin, True, URL)
    await world.core.media_events.room_started(scene.room.room_id, None)
    await world.core.webhooks.configure(admin, False, None)
    wanted = DeliveryFilter(subject=scene.room.room_id)
    page = await world.core.webhooks.deliveries(admin, wanted, PageRequest("creationDate"))
    scene.variables["delivery"] = page.items[0].delivery_id


EXCHANGES = [
    Exchange("getWebhookConfig", "admin", "GET", CONFIG, 200, headers=user("admin")),
    Exchange("getWebhookConfig", "nobody", "GET", CONFIG, 401, error="Unauthorized"),
    Exchange("getWebhookConfig", "API key", "GET", CONFIG, 401, headers=key, error="Unauthorized"),
    Exchange("getWebhookConfig", "forged", "GET", CONFIG, 401, headers=forged, error="Invalid token"),
    Exchange("getWebhookConfig", "manager", "GET", CONFIG, 403, headers=user("manager")),
    Exchange("getWebhookConfig", "member", "GET", CONFIG, 403, headers=user("member")),
    Exchange("getWebhookConfig", "database gone", "GET", CONFIG, 500, headers=user("admin"), prepare=accounts_gone, error="Unexpected error while getting webhooks config"),
    Exchange("updateWebhookConfig", "on", "PUT", CONFIG, 200, ON, user("admin")),
    Exchange("updateWebhookConfig", "off", "PUT", CONFIG, 200, {"enabled": False}, user("admin")),
    Exchange("updateWebhookConfig", "on without URL", "PUT", CONFIG, 422, {"enabled": True}, user("admin"), error="URL is required when webhooks are enabled"),
    Exchange("updateWebhookConfig", "no URL at all", "PUT", CONFIG, 422, {"enabled": True, "url": "receiver"}, user("admin"), error="Must be a valid URL"),
    Exchange("updateWebhookConfig", "another scheme", "PUT", CONFIG, 422, {"enabled": True, "url": "ftp://receiver.example"}, user("admin"), error=WEAK),
    Exchange("updateWebhookConfig", "wrong type", "PUT", CONFIG, 422, {"enabled": "yes"}, user("admin"), error="Expected boolean, received string"),
    Exchange("updateWebhookConfig", "empty", "PUT", CONFIG, 422, {}, user("admin"), error="Required"),
    Exchange("updateWebhookConfig", "malformed", "PUT", CONFIG, 400, headers=user("admin"), content=b"{", error="Malformed body"),
    Exchange("updateWebhookConfig", "huge", "PUT", CONFIG, 413, headers=user("admin"), content=TOO_LARGE.content),
    Exchange("updateWebhookConfig", "nobody", "PUT", CONFIG, 401, ON),
    Exchange("updateWebhookConfig", "API key", "PUT", CONFIG, 401, ON, key),
    Exchange("updateWebhookConfig", "manager", "PUT", CONFIG, 403, ON, user("manager")),
    Exchange("updateWebhookConfig", "an old version", "PUT", CONFIG, 409, ON, editor, error="The configuration has been changed in the meantime"),
    Exchange("updateWebhookConfig", "database gone", "PUT", CONFIG, 500, ON, user("admin"), prepare=accounts_gone, error="Unexpected error while updating webhooks config"),
    Exchange("testWebhook", "anybody", "POST", TEST, 200, {"url": URL}),
    Exchange("testWebhook", "unwilling receiver", "POST", TEST, 400, {"url": URL}, prepare=unwilling, error=f"Webhook URL '{URL}' is invalid: Client error (404 Told You)"),
    Exchange("testWebhook", "malformed", "POST", TEST, 400, content=b"{", error="Malformed body"),
    Exchange("testWebhook", "huge", "POST", TEST, 413, content=TOO_LARGE.content),
    Exchange("testWebhook", "no URL", "POST", TEST, 422, {"url": "receiver"}, error="Must be a valid URL"),
    Exchange("testWebhook", "another scheme", "POST", TEST, 422, {"url": "file:///etc/passwd"}, error=WEAK),
    Exchange("testWebhook", "empty", "POST", TEST, 422, {}, error="Required"),
    Exchange("testWebhook", "database gone", "POST", TEST, 500, {"url": URL}, prepare=accounts_gone, error="Unexpected error while testing webhook URL"),
]  # fmt: skip

NO_DELIVERY = "WD_0000000000000000"


def absent(path: str) -> Situation:
    return Situation(
        "no such delivery",
        Stage.EXISTENCE,
        404,
        path=path.replace("{delivery}", NO_DELIVERY),
        error=f"Webhook delivery '{NO_DELIVERY}' not found",
    )


ITEM = f"{DELIVERIES}/{{delivery}}"
OPERATIONS = [
    Operation(
        "getWebhookDeliveries",
        "GET",
        DELIVERIES,
        "KA",
        200,
        query={"subject": "{room}", "status": "pending", "event": "meetingStarted"},
        prepare=delivered,
        situations=(
            Situation(
                "a page of nothing",
                Stage.VALIDATION,
                422,
                query={"maxItems": "0"},
                error="maxItems must be a positive number",
            ),
            Situation("an unknown status", Stage.VALIDATION, 422, query={"status": "lost"}),
            Situation("a cursor of somebody else", Stage.STATE, 422, query={"nextPageToken": "%%%"}),
            failing("getting webhook deliveries"),
        ),
    ),
    Operation(
        "getWebhookDelivery",
        "GET",
        ITEM,
        "KA",
        200,
        prepare=delivered,
        situations=(absent(ITEM), failing("getting webhook delivery '{delivery}'")),
    ),
    Operation(
        "redeliverWebhook",
        "POST",
        f"{ITEM}/redeliver",
        "KA",
        202,
        prepare=delivered,
        situations=(absent(f"{ITEM}/redeliver"), failing("redelivering webhook '{delivery}'")),
    ),
]
