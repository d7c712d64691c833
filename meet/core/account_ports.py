"""The interfaces behind the administration of users, and behind the overview. Implemented by `meet/db`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from .model.account import RoleChange, Totals, UserFilter
from .model.paging import Page, PageRequest
from .model.user import User, UserRole


class UserRepository(Protocol):
    """Users as a resource; what logging in needs is in `ports.AccountRepository`."""

    async def add(self, user: User) -> bool:
        """False when the id is taken."""
        ...

    async def get(self, user_id: str) -> User | None: ...

    async def set_password(self, user_id: str, password_hash: str, must_change: bool) -> bool:
        """False when absent."""
        ...

    async def page(self, wanted: UserFilter, request: PageRequest) -> Page[User]:
        """One page. Raises ValidationFailed for a bad cursor or regular expression."""
        ...

    async def change_role(
        self, user_id: str, role: UserRole, now: int, heir: str, check: Callable[[User], None] | None = None
    ) -> RoleChange | None:
        """Write the role and what follows from it in one transaction; None when absent.

        `check`, if given, sees the stored user first; raising there changes nothing.

        An admin needs no memberships: they go. A room member owns nothing: rooms, and their recordings, pass to
        `heir`. The role they already have changes nothing."""
        ...

    async def remove(self, user_id: str, heir: str) -> bool:
        """Remove the user with their memberships; rooms and recordings pass to `heir`. False when absent."""
        ...

    async def disown(self, user_id: str, heir: str) -> bool:
        """Pass the rooms of somebody who may not own any (gone, or a room member) to `heir`. False for all others."""
        ...


class AnalyticsRepository(Protocol):
    """Counts over everything."""

    async def totals(self) -> Totals: ...
