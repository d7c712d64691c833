"""What can be wrong about webhooks; a part of the tree in `errors.py`."""

from __future__ import annotations

from .errors import BadRequest, NotFound


class WebhookUrlInvalid(BadRequest):
    """The test request did not get through; `reason` is one of contract 5.5."""

    title = "Webhook Error"

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(f"Webhook URL '{url}' is invalid: {reason}")
        self.reason = reason


class NoSigningKey(BadRequest):
    title = "Webhook Error"

    def __init__(self) -> None:
        super().__init__("There are no API keys configured yet. Please, create one to use webhooks.")


class WebhookDeliveryNotFound(NotFound):
    title = "Webhook Error"

    def __init__(self, delivery_id: str) -> None:
        super().__init__(f"Webhook delivery '{delivery_id}' not found")
        self.delivery_id = delivery_id
