"""Starts that were given up while the database took nothing: what they left there goes as soon as it does."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import structlog

from .errors import DatabaseUnavailable
from .model.recording import Recording

log = structlog.get_logger(__name__)

Abandon = Callable[[str, str], Awaitable[Recording | None]]
"""Removes lock and row of (room id, key); returns a recording that has become one. Raises DatabaseUnavailable."""


class Leftovers:
    """Of each room the key of the start whose lock may still be there. Of a process that dies meanwhile the jobs take
    care."""

    def __init__(self, abandon: Abandon, retry_s: float = 5.0) -> None:
        self._abandon = abandon
        self._retry_s = retry_s
        self._keys: dict[str, str] = {}
        self._task: asyncio.Task[None] | None = None

    async def give_up(self, room_id: str, key: str) -> Recording | None:
        """`abandon`, now or later; returns the recording that it has become all the same."""
        try:
            return await self._abandon(room_id, key)
        except DatabaseUnavailable as error:
            log.warning("recording_start_left_over", room=room_id, reason=error.reason)
            self._keys[room_id] = key
            if self._task is None or self._task.done():
                self._task = asyncio.create_task(self._retry())
            return None

    async def settle(self, room_id: str) -> None:
        """Before the next start in the room: it is not to meet a lock of nobody's. Raises DatabaseUnavailable."""
        key = self._keys.get(room_id)
        if key is not None:
            await self._abandon(room_id, key)
            self._keys.pop(room_id, None)

    async def close(self) -> None:
        """Try no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _retry(self) -> None:
        while self._keys:
            await asyncio.sleep(self._retry_s)
            for room_id in list(self._keys):
                with suppress(DatabaseUnavailable):  # told when it began
                    await self.settle(room_id)
