"""Analytics: numbers for the overview (contract 2.5.8)."""

from __future__ import annotations

from .account_ports import AnalyticsRepository
from .callers import Caller
from .model.account import Totals
from .permissions import require_admin


class Analytics:
    """Numbers for the overview."""

    def __init__(self, repository: AnalyticsRepository) -> None:
        self._repository = repository

    async def totals(self, caller: Caller) -> Totals:
        """Raises InsufficientPermissions."""
        require_admin(caller)
        return await self._repository.totals()
