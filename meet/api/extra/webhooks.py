"""/webhooks/deliveries: a look into the outbox of webhooks, and sending one again."""

from __future__ import annotations

from typing import Any

import orjson

from meet.api.authentication import caller
from meet.api.paging import page_request, pagination
from meet.api.services import services
from meet.core.model.webhook import DeliveryFilter, WebhookDelivery
from meet.http import Call, Response, json_response


async def get_webhook_deliveries(call: Call) -> Response:
    params = call.params
    wanted = DeliveryFilter(params.get("status"), params.get("event"), params.get("subject") or None)
    request = page_request({**params, "sortField": "creationDate"})
    page = await services(call).webhooks.deliveries(caller(call), wanted, request)
    body = {"deliveries": [_document(delivery) for delivery in page.items], "pagination": pagination(page)}
    return json_response(200, body)


async def get_webhook_delivery(call: Call) -> Response:
    delivery = await services(call).webhooks.delivery(caller(call), call.params["deliveryId"])
    return json_response(200, {**_document(delivery), "payload": orjson.loads(delivery.body)})


async def redeliver_webhook(call: Call) -> Response:
    delivery = await services(call).webhooks.redeliver(caller(call), call.params["deliveryId"])
    return json_response(202, _document(delivery))


def _document(delivery: WebhookDelivery) -> dict[str, Any]:
    return {
        "deliveryId": delivery.delivery_id,
        "event": delivery.event,
        "subject": delivery.subject,
        "creationDate": delivery.creation_date,
        "status": delivery.status,
        "attempts": delivery.attempts,
        "nextAttemptDate": delivery.next_attempt_at if delivery.status == "pending" else None,
        "lastAttemptDate": delivery.last_attempt_at,
        "deliveredDate": delivery.delivered_at,
        "responseStatus": delivery.response_status,
        "error": delivery.error,
    }
