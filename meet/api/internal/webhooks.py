"""/config/webhooks: where events are sent (contract 2.5.4, 5.5)."""

from __future__ import annotations

from meet.api.authentication import caller
from meet.api.services import services
from meet.core.edits import version_of
from meet.core.model.webhook import WebhookConfig
from meet.http import Call, Response, json_response, versions


async def get_webhook_config(call: Call) -> Response:
    config = await services(call).webhooks.config(caller(call))
    response = _config(config)
    response.version = version_of(config)
    return response


async def update_webhook_config(call: Call) -> Response:
    body = call.body
    wanted = versions(call.params.get("If-Match"))
    webhooks = services(call).webhooks
    return _config(await webhooks.configure(caller(call), body["enabled"], body.get("url"), versions=wanted))


async def test_webhook(call: Call) -> Response:
    await services(call).webhooks.test(call.body["url"])
    return json_response(200, {"message": "Webhook URL is valid"})


def _config(config: WebhookConfig) -> Response:
    return json_response(200, {"enabled": config.enabled, "url": config.url})
