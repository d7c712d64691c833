"""Delivers webhooks: in order per room, retried for a day, never in the way of the media."""

from __future__ import annotations

import asyncio
import random
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass

import aiohttp
import structlog
from livekit.protocol import webhook

from meet.media.hooks.events import egress_webhook, encode, room_webhook
from meet.media.hooks.lane import Delivery, Lane
from meet.media.hooks.signing import sign
from meet.media.room import RoomEvent
from meet.media.twirp.egress_model import EgressEvent

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Limits:
    """Seconds, except where the name says otherwise. Retry delays double from first to longest, with jitter."""

    timeout_s: float = 10.0
    first_delay_s: float = 0.2
    longest_delay_s: float = 30.0
    give_up_after_s: float = 24 * 3600.0
    waiting_per_room: int = 1000
    waiting_in_all: int = 20_000
    parallel: int = 16


class WebhookSender:
    """Posts to one URL. Every `send` returns at once; one task per room with something to say does the rest."""

    def __init__(
        self,
        url: str,
        api_key: str,
        api_secret: str,
        *,
        tls: ssl.SSLContext | None = None,
        limits: Limits | None = None,
    ) -> None:
        self._url = url
        self._api_key = api_key
        self._api_secret = api_secret
        self._tls = tls
        self._limits = limits or Limits()
        self._lanes: dict[str, Lane] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._slots = asyncio.Semaphore(self._limits.parallel)
        self._session: aiohttp.ClientSession | None = None
        self._waiting = 0
        self._closing = False

    # -- what is listened to

    def on_room_event(self, event: RoomEvent) -> None:
        """Listener for `RoomRegistry.add_listener`."""
        message = room_webhook(event)
        if message is not None:
            self.send(message, room=event.room.name)

    def on_egress_event(self, event: EgressEvent) -> None:
        """Listener for `EgressController.add_listener`."""
        self.send(egress_webhook(event), room=event.state.request.room_name, delivered=event.confirm)

    def send(self, message: webhook.WebhookEvent, *, room: str, delivered: Callable[[], None] | None = None) -> None:
        """Queue a message behind those of the same room; `delivered` is called when the receiver has taken it."""
        if self._closing:
            return
        lane = self._lanes.setdefault(room, Lane(room))
        before, dropped = len(lane.waiting), lane.dropped
        full = self._waiting >= self._limits.waiting_in_all
        limit = before if full else self._limits.waiting_per_room
        lane.push(Delivery(message.event, encode(message), time.monotonic(), delivered), limit)
        self._waiting += len(lane.waiting) - before
        if lane.dropped != dropped:
            log.warning("webhook_dropped", room=room, dropped=lane.dropped)
        if room not in self._tasks:
            self._tasks[room] = asyncio.create_task(self._drain(lane), name=f"webhooks {room}")

    # -- delivery

    async def _drain(self, lane: Lane) -> None:
        try:
            while lane.waiting:
                delivery = lane.waiting.popleft()
                try:
                    await self._deliver(delivery, lane.room)
                finally:
                    self._waiting -= 1
        finally:
            self._waiting -= len(lane.waiting)
            self._tasks.pop(lane.room, None)
            self._lanes.pop(lane.room, None)

    async def _deliver(self, delivery: Delivery, room: str) -> None:
        delay = self._limits.first_delay_s
        attempts = 0
        while True:
            attempts += 1
            problem = await self._post(delivery.body)
            if problem is None:
                if attempts > 1:
                    log.info("webhook_delivered", event_name=delivery.name, room=room, attempts=attempts)
                if delivery.delivered is not None:
                    delivery.delivered()
                return
            if time.monotonic() - delivery.since > self._limits.give_up_after_s:
                log.error("webhook_given_up", event_name=delivery.name, room=room, attempts=attempts, problem=problem)
                return
            log.warning("webhook_failed", event_name=delivery.name, room=room, attempts=attempts, problem=problem)
            await asyncio.sleep(delay * random.uniform(0.8, 1.2))
            delay = min(delay * 2, self._limits.longest_delay_s)

    async def _post(self, body: bytes) -> str | None:
        """One attempt; None when the receiver answered 2xx, else what went wrong."""
        headers = {
            "Content-Type": "application/webhook+json",
            "Authorization": sign(body, self._api_key, self._api_secret),
        }
        async with self._slots:
            try:
                async with self._open().post(self._url, data=body, headers=headers, allow_redirects=False) as response:
                    return None if 200 <= response.status < 300 else f"status {response.status}"
            except TimeoutError:
                return "timeout"
            except (aiohttp.ClientError, OSError) as error:
                return type(error).__name__

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(ssl=self._tls if self._tls is not None else True)
            timeout = aiohttp.ClientTimeout(total=self._limits.timeout_s)
            self._session = aiohttp.ClientSession(connector=connector, timeout=timeout)
        return self._session

    async def close(self, grace_s: float = 2.0) -> None:
        """Give what is waiting `grace_s` seconds to get out, then drop it; nothing is accepted any more."""
        self._closing = True
        tasks = list(self._tasks.values())
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=grace_s)
            if late:
                log.warning("webhooks_undelivered", count=self._waiting)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        if self._session is not None:
            await self._session.close()
            self._session = None
