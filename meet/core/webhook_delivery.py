"""The delivery task of webhooks: in order per room and recording, retried for a day, never in anybody's way."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass, replace

import structlog

from .clock import Clock
from .model.webhook import WebhookDelivery
from .ports import AccountRepository
from .webhook_events import signed_headers
from .webhook_ports import NotDelivered, OutboxRepository, WebhookTransport

log = structlog.get_logger(__name__)

NO_API_KEY = "There is no API key to sign with"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryPolicy:
    """Delays double from `first_delay_ms` to `longest_delay_ms`, with a fifth of jitter."""

    parallel: int = 16
    first_delay_ms: int = 300
    longest_delay_ms: int = 60_000
    hold_ms: int = 15_000
    """How long an attempt may take before the delivery counts as nobody's (the process that had it died)."""
    fresh_ms: int = 90_000
    """Receivers refuse timestamps of two minutes and more (contract 5.3): older deliveries are signed anew."""
    poll_s: float = 5.0
    """How often the outbox is looked at without being told, for what other processes have written."""


class WebhookDispatcher:
    """Empties the outbox. Configuration and key are read for every attempt, so changes count at once."""

    def __init__(
        self,
        *,
        outbox: OutboxRepository,
        accounts: AccountRepository,
        transport: WebhookTransport,
        clock: Clock,
        project_id: str,
        policy: DeliveryPolicy | None = None,
    ) -> None:
        self._outbox = outbox
        self._accounts = accounts
        self._transport = transport
        self._clock = clock
        self._project_id = project_id
        self._policy = policy or DeliveryPolicy()
        self._wake = asyncio.Event()
        self._loop: asyncio.Task[None] | None = None
        self._running: set[asyncio.Task[None]] = set()
        self._receiver_down = False
        self._looked_s = 0.0

    def wake(self) -> None:
        """There may be something new in the outbox."""
        self._wake.set()

    def start(self) -> None:
        """Begin; needs a running event loop."""
        self._loop = asyncio.create_task(self._run(), name="webhooks")

    async def stop(self, grace_s: float = 1.0) -> None:
        """Let attempts under way finish for a moment; what does not is sent again after the next start."""
        if self._loop is not None:
            self._loop.cancel()
            await asyncio.gather(self._loop, return_exceptions=True)
            self._loop = None
        if self._running:
            await asyncio.wait(self._running, timeout=grace_s)
        late = list(self._running)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            try:
                delay_s = await self._fill()
            except Exception as error:  # a busy database must not end deliveries for good
                log.warning("webhook_outbox_unreadable", reason=f"{type(error).__name__}: {error}")
                delay_s = self._policy.poll_s
            # A long outbox takes a while to look through: spend a twentieth of the time on it, not all.
            await asyncio.sleep(20 * self._looked_s)
            try:
                async with asyncio.timeout(delay_s):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def _fill(self) -> float:
        """Start attempts for what is due; how long to wait (s) for the next time unless woken."""
        self._looked_s = 0.0
        free = self._policy.parallel - len(self._running)
        if free <= 0:
            return self._policy.poll_s
        began = time.monotonic()
        due = await self._outbox.next_due()
        self._looked_s = time.monotonic() - began
        if due is None:
            return self._policy.poll_s
        now = self._clock.now_ms()
        if due > now:
            return min((due - now) / 1000, self._policy.poll_s)
        for delivery in await self._outbox.claim(now, now + self._policy.hold_ms, free):
            task = asyncio.create_task(self._attempt(delivery))
            self._running.add(task)
            task.add_done_callback(self._finished)
        return self._policy.poll_s

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            # The claim runs out by itself, and the delivery is tried again.
            log.warning("webhook_attempt_failed", reason=f"{type(error).__name__}: {error}")
        self.wake()

    async def _attempt(self, delivery: WebhookDelivery) -> None:
        try:
            outcome = await self._send(delivery)
        except asyncio.CancelledError:
            await self._outbox.release(delivery)
            raise
        await self._outbox.settle(outcome)
        if outcome.status == "delivered" and self._receiver_down:
            self._receiver_down = False
            log.info("webhook_receiver_back", waiting=await self._outbox.hasten(self._clock.now_ms()))

    async def _send(self, delivery: WebhookDelivery) -> WebhookDelivery:
        config = await self._accounts.get_config(self._project_id)
        url = config.webhooks.get("url") if config and config.webhooks.get("enabled") else None
        if not url:
            log.info("webhook_discarded", event_name=delivery.event, subject=delivery.subject)
            return replace(delivery, status="discarded", error="Webhooks are switched off")
        keys = await self._accounts.api_keys()
        now = self._clock.now_ms()
        if not keys:
            return self._failed(delivery, now, None, NO_API_KEY)
        fresh = now - delivery.creation_date < self._policy.fresh_ms
        body = delivery.body.encode()
        headers = signed_headers(body, delivery.creation_date if fresh else now, keys[0].key)
        try:
            reply = await self._transport.post(url, headers | {"X-Delivery-Id": delivery.delivery_id}, body)
        except NotDelivered as problem:
            return self._failed(delivery, now, None, str(problem))
        if not reply.accepted:
            return self._failed(delivery, now, reply.status, f"{reply.status} {reply.phrase}".strip())
        log.info(
            "webhook_delivered", event_name=delivery.event, subject=delivery.subject, attempts=delivery.attempts + 1
        )
        return replace(
            delivery,
            status="delivered",
            attempts=delivery.attempts + 1,
            last_attempt_at=now,
            delivered_at=self._clock.now_ms(),
            response_status=reply.status,
            error=None,
        )

    def _failed(self, delivery: WebhookDelivery, began: int, status: int | None, problem: str) -> WebhookDelivery:
        if status is None or status >= 500:
            self._receiver_down = True
        now = self._clock.now_ms()
        attempts = delivery.attempts + 1
        over = now >= delivery.give_up_at
        say = log.error if over else log.warning
        say(
            "webhook_given_up" if over else "webhook_failed",
            event_name=delivery.event,
            subject=delivery.subject,
            attempts=attempts,
            problem=problem,
        )
        return replace(
            delivery,
            status="failed" if over else "pending",
            attempts=attempts,
            next_attempt_at=now + self._delay_ms(attempts),
            last_attempt_at=began,
            response_status=status,
            error=problem,
        )

    def _delay_ms(self, attempts: int) -> int:
        doubled = self._policy.first_delay_ms * 2 ** min(attempts - 1, 20)
        return int(min(doubled, self._policy.longest_delay_ms) * random.uniform(1.0, 1.2))
