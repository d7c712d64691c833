"""ApiKeyService: the key of the integration (contract 2.5.2, 3.9)."""

from __future__ import annotations

import structlog

from .callers import Caller
from .clock import Clock
from .ids import new_api_key
from .model.user import ApiKey
from .permissions import require_admin
from .ports import AccountRepository

log = structlog.get_logger(__name__)


class ApiKeyService:
    """There is at most one key. It also signs webhooks."""

    def __init__(self, *, accounts: AccountRepository, clock: Clock) -> None:
        self._accounts = accounts
        self._clock = clock

    async def create(self, caller: Caller) -> ApiKey:
        """A new key in the place of any other. Raises InsufficientPermissions."""
        require_admin(caller)
        key = ApiKey(new_api_key(), self._clock.now_ms())
        await self._accounts.replace_api_key(key)
        log.info("api_key_created")
        return key

    async def list(self, caller: Caller) -> list[ApiKey]:
        """Raises InsufficientPermissions."""
        require_admin(caller)
        return await self._accounts.api_keys()

    async def delete(self, caller: Caller) -> None:
        """Leave no key; there being none is fine. Raises InsufficientPermissions."""
        require_admin(caller)
        await self._accounts.replace_api_key(None)
        log.info("api_keys_deleted")
