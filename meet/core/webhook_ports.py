"""The interfaces behind outgoing webhooks. Outbox: `meet/db`. Transport: `meet/outbound`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from .model.paging import Page, PageRequest
from .model.webhook import DeliveryFilter, WebhookDelivery, WebhookReply


class NotDelivered(Exception):
    """No receiver answered. `str()` is the reason in the words of contract 5.5, without the URL."""


class WebhookTransport(Protocol):
    """Sends one request to an address that somebody else chose."""

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> WebhookReply:
        """One attempt, of bounded length, without following redirects. Raises NotDelivered."""
        ...


class OutboxRepository(Protocol):
    """Deliveries, written by the repositories in the transactions that cause them.

    A delivery is due when it is pending, its time has come, nobody holds it, and no earlier one of its subject is
    pending."""

    async def next_due(self) -> int | None:
        """When the next delivery becomes due (ms); None while nothing is waiting."""
        ...

    async def claim(self, now: int, until: int, most: int) -> list[WebhookDelivery]:
        """Take up to `most` due deliveries, oldest first; nobody else gets them before `until`."""
        ...

    async def settle(self, delivery: WebhookDelivery) -> None:
        """Write the outcome of an attempt and give the delivery back. Ignored when it was redelivered meanwhile."""
        ...

    async def release(self, delivery: WebhookDelivery) -> None:
        """Give a claimed delivery back as it was."""
        ...

    async def hasten(self, now: int, *, refused: bool = False) -> int:
        """Make those due at once that wait because the receiver could not be reached; how many there are.

        With `refused` also those that it did not want (a status below 500)."""
        ...

    async def get(self, delivery_id: str) -> WebhookDelivery | None: ...

    async def page(self, wanted: DeliveryFilter, request: PageRequest) -> Page[WebhookDelivery]:
        """One page, sorted by `creationDate`. Raises ValidationFailed for a bad cursor."""
        ...

    async def redeliver(self, delivery_id: str, now: int) -> WebhookDelivery | None:
        """Make it pending again, behind everything else of its subject, with a full day ahead; None when absent."""
        ...

    async def prune(self, before: int) -> int:
        """Forget deliveries that are over and older than `before` (creation, ms); how many there were."""
        ...
