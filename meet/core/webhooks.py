"""WebhookService: the webhook configuration, its test request, and a look into the outbox (contract 2.5.4, 5.5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import structlog

from .callers import Caller
from .clock import Clock
from .edit_errors import ConfigurationChanged
from .edits import Versions, outdated, overtaken
from .errors import InsufficientPermissions
from .model.paging import Page, PageRequest
from .model.user import GlobalConfig
from .model.webhook import DeliveryFilter, WebhookConfig, WebhookDelivery, WebhookReply
from .ports import AccountRepository
from .webhook_delivery import WebhookDispatcher
from .webhook_errors import NoSigningKey, WebhookDeliveryNotFound, WebhookUrlInvalid
from .webhook_events import envelope, signed_headers
from .webhook_ports import NotDelivered, OutboxRepository, WebhookTransport

log = structlog.get_logger(__name__)

_KEPT_MS = 7 * 24 * 3_600_000


class WebhookService:
    """What operators do about webhooks. Everything but the test request is for administrators."""

    def __init__(
        self,
        *,
        accounts: AccountRepository,
        outbox: OutboxRepository,
        transport: WebhookTransport,
        dispatcher: WebhookDispatcher,
        clock: Clock,
        project_id: str,
    ) -> None:
        self._accounts = accounts
        self._outbox = outbox
        self._transport = transport
        self._dispatcher = dispatcher
        self._clock = clock
        self._project_id = project_id

    async def config(self, caller: Caller) -> WebhookConfig:
        """Raises InsufficientPermissions."""
        _require_admin(caller)
        stored = await self._accounts.get_config(self._project_id)
        return _config(stored.webhooks if stored else {})

    async def configure(
        self, caller: Caller, enabled: bool, url: str | None, *, versions: Versions = None
    ) -> WebhookConfig:
        """Change it; without `url` the stored one stays.

        Raises InsufficientPermissions, ConfigurationChanged (in none of the `versions`, or somebody else was
        faster)."""
        _require_admin(caller)
        stored = await self._accounts.get_config(self._project_id)
        before = stored.webhooks if stored else {}
        changes: dict[str, object] = {"enabled": enabled} | ({"url": url} if url else {})

        def change(config: GlobalConfig) -> GlobalConfig:
            if outdated(_config(config.webhooks), versions) or overtaken(changes, before, config.webhooks):
                raise ConfigurationChanged
            return replace(config, webhooks={**config.webhooks, **changes})

        await self._accounts.modify_config(self._project_id, change)
        log.info("webhooks_configured", enabled=enabled)
        await self._outbox.hasten(self._clock.now_ms(), refused=True)
        self._dispatcher.wake()
        return await self.config(caller)

    async def test(self, url: str) -> None:
        """Send one signed test event. Raises NoSigningKey, WebhookUrlInvalid with the reason."""
        keys = await self._accounts.api_keys()
        if not keys:
            raise NoSigningKey
        now = self._clock.now_ms()
        body = envelope("testEvent", now, {"message": "This is a test webhook event"}).encode()
        try:
            reply = await self._transport.post(url, signed_headers(body, now, keys[0].key), body)
        except NotDelivered as problem:
            raise WebhookUrlInvalid(url, str(problem)) from None
        if not reply.accepted:
            raise WebhookUrlInvalid(url, _refusal(reply))

    async def deliveries(self, caller: Caller, wanted: DeliveryFilter, request: PageRequest) -> Page[WebhookDelivery]:
        """One page of the outbox. Raises InsufficientPermissions, ValidationFailed."""
        _require_admin(caller)
        return await self._outbox.page(wanted, request)

    async def delivery(self, caller: Caller, delivery_id: str) -> WebhookDelivery:
        """Raises InsufficientPermissions, WebhookDeliveryNotFound."""
        _require_admin(caller)
        found = await self._outbox.get(delivery_id)
        if found is None:
            raise WebhookDeliveryNotFound(delivery_id)
        return found

    async def redeliver(self, caller: Caller, delivery_id: str) -> WebhookDelivery:
        """Send it once more, whatever has become of it. Raises InsufficientPermissions, WebhookDeliveryNotFound."""
        _require_admin(caller)
        asked = await self._outbox.redeliver(delivery_id, self._clock.now_ms())
        if asked is None:
            raise WebhookDeliveryNotFound(delivery_id)
        log.info("webhook_redelivery", event_name=asked.event, subject=asked.subject)
        self._dispatcher.wake()
        return asked

    async def clean_up(self) -> None:
        """Job: forget what was over a week ago."""
        await self._outbox.prune(self._clock.now_ms() - _KEPT_MS)


def _config(stored: Mapping[str, object]) -> WebhookConfig:
    url = stored.get("url")
    return WebhookConfig(bool(stored.get("enabled")), url if isinstance(url, str) and url else None)


def _require_admin(caller: Caller) -> None:
    if not caller.is_admin:
        raise InsufficientPermissions


def _refusal(reply: WebhookReply) -> str:
    told = f"{reply.status} {reply.phrase}".strip()
    if reply.status >= 500:
        return f"Server error ({told})"
    return f"Client error ({told})" if reply.status >= 400 else f"Unexpected response ({reply.status})"
