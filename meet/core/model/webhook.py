"""Outgoing webhooks: what is announced, and how far its delivery got (contract 5)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

WebhookEventName: TypeAlias = Literal[
    "meetingStarted", "meetingEnded", "recordingStarted", "recordingUpdated", "recordingEnded"
]
DeliveryStatus: TypeAlias = Literal["pending", "delivered", "failed", "discarded"]
"""`failed`: given up after a day of attempts. `discarded`: webhooks were switched off before it got out."""

GIVE_UP_AFTER_MS: Final = 24 * 3_600_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """Something that happened and that a receiver should hear about.

    `subject` is the room or recording whose events are delivered in order; `body` the JSON exactly as it will be sent;
    `project_id` says whose configuration decides whether it is sent at all. Time in ms."""

    event: WebhookEventName
    subject: str
    creation_date: int
    body: str = field(repr=False)
    project_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookDelivery:
    """One row of the outbox. `position` orders the deliveries of a subject; a redelivery moves to the end. Times in ms.

    `attempts` counts those since the delivery was last asked for; `error` and `response_status` are of the last one."""

    delivery_id: str
    event: WebhookEventName
    subject: str
    creation_date: int
    body: str = field(repr=False)
    position: int
    status: DeliveryStatus
    attempts: int
    next_attempt_at: int
    give_up_at: int
    last_attempt_at: int | None = None
    delivered_at: int | None = None
    response_status: int | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class DeliveryFilter:
    """What a list of deliveries is narrowed to."""

    status: DeliveryStatus | None = None
    event: WebhookEventName | None = None
    subject: str | None = None


@dataclass(frozen=True, slots=True)
class WebhookReply:
    """What a receiver answered: status code and reason phrase."""

    status: int
    phrase: str = ""

    @property
    def accepted(self) -> bool:
        return 200 <= self.status < 300


@dataclass(frozen=True, slots=True)
class WebhookConfig:
    """Whether and where webhooks are sent. `url` stays while they are off."""

    enabled: bool
    url: str | None = None
