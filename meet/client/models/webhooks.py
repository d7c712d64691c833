"""Webhook deliveries (openapi/meet-extra)."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from meet.client.models.base import Milliseconds, Model

DeliveryStatus: TypeAlias = Literal["pending", "delivered", "failed", "discarded"] | str
WebhookEvent: TypeAlias = (
    Literal["meetingStarted", "meetingEnded", "recordingStarted", "recordingUpdated", "recordingEnded"] | str
)


class Delivery(Model):
    """One webhook. `subject` is the room or recording it is about; `payload` comes only when a single one is read."""

    delivery_id: str
    event: WebhookEvent
    subject: str
    creation_date: Milliseconds
    status: DeliveryStatus
    attempts: int
    next_attempt_date: Milliseconds | None = None
    last_attempt_date: Milliseconds | None = None
    delivered_date: Milliseconds | None = None
    response_status: int | None = None
    error: str | None = None
    payload: dict[str, Any] | None = None
