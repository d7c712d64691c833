"""UserService: administration of registered users (contract 2.1)."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from .account_errors import ProtectedUser, UserExists
from .account_ports import UserRepository
from .callers import Caller
from .clock import Clock
from .edit_errors import UserChanged
from .edits import Versions, user_version
from .errors import InsufficientPermissions, UserNotFound
from .model.account import BulkUserDeletion, FailedUser, NewUser, UserFilter
from .model.paging import Page, PageRequest
from .model.user import User, UserRole
from .passwords import hash_password
from .presence import Presence

log = structlog.get_logger(__name__)


class UserService:
    """Rights are checked first, then protected accounts (403), then existence (404). `root` is the root admin's id."""

    def __init__(self, *, users: UserRepository, presence: Presence, clock: Clock, root: str) -> None:
        self._users = users
        self._presence = presence
        self._clock = clock
        self._root = root

    async def create(self, caller: Caller, new: NewUser) -> User:
        """A user who must change the password at the first login. Raises InsufficientPermissions, UserExists."""
        _require(caller, "admin")
        if await self._users.get(new.user_id) is not None:
            raise UserExists(new.user_id)
        now = self._clock.now_ms()
        user = User(
            user_id=new.user_id,
            name=new.name,
            role=new.role,
            registration_date=now,
            role_updated_at=now,
            password_hash=await hash_password(new.password),
            must_change_password=True,
        )
        if not await self._users.add(user):
            raise UserExists(new.user_id)
        log.info("user_created", user=user.user_id, role=user.role)
        return user

    async def list(self, caller: Caller, wanted: UserFilter, request: PageRequest) -> Page[User]:
        """One page. Raises InsufficientPermissions, ValidationFailed."""
        _require(caller, "admin", "room_manager")
        return await self._users.page(wanted, request)

    async def get(self, caller: Caller, user_id: str) -> User:
        """Raises InsufficientPermissions, UserNotFound."""
        _require(caller, "admin", "room_manager")
        user = await self._users.get(user_id)
        if user is None:
            raise UserNotFound(user_id)
        return user

    async def reset_password(self, caller: Caller, user_id: str, password: str) -> None:
        """Set a password that must be changed at the next login; tokens of the user stop working until then.

        Raises InsufficientPermissions, ProtectedUser, UserNotFound."""
        _require(caller, "admin")
        if _is_self(caller, user_id):
            raise ProtectedUser.own_password()
        if user_id == self._root:
            raise ProtectedUser.root_password()
        if await self._users.get(user_id) is None:
            raise UserNotFound(user_id)
        if not await self._users.set_password(user_id, await hash_password(password), True):
            raise UserNotFound(user_id)
        log.info("password_reset", user=user_id)

    async def change_role(self, caller: Caller, user_id: str, role: UserRole, *, versions: Versions = None) -> User:
        """Give another role, with all that follows: ownership, memberships, void tokens, a signal to the user.

        Raises InsufficientPermissions, ProtectedUser, UserNotFound, UserChanged (in none of the `versions`, or somebody
        else was faster)."""
        _require(caller, "admin")
        if user_id == self._root:
            raise ProtectedUser.root_role()
        if _is_self(caller, user_id):
            raise ProtectedUser.own_role()
        before = await self._users.get(user_id)
        if before is None:
            raise UserNotFound(user_id)

        def check(user: User) -> None:
            if versions is not None and user_version(user) not in versions:
                raise UserChanged(user_id)
            if user.role not in (before.role, role):
                raise UserChanged(user_id)

        change = await self._users.change_role(user_id, role, self._clock.now_ms(), self._root, check)
        if change is None:
            raise UserNotFound(user_id)
        if change.changed:
            log.info("user_role_changed", user=user_id, role=role)
            await self._presence.refresh_user(user_id)
        return change.user

    async def delete(self, caller: Caller, user_id: str) -> None:
        """Remove the user, also from meetings; what they own passes to the root admin.

        Raises InsufficientPermissions, ProtectedUser, UserNotFound."""
        _require(caller, "admin")
        self._protect(caller, user_id)
        await self._remove(user_id)

    async def delete_many(self, caller: Caller, user_ids: Sequence[str]) -> BulkUserDeletion:
        """`delete` for each distinct id; protected accounts are reported first. Raises InsufficientPermissions."""
        _require(caller, "admin")
        refused: list[FailedUser] = []
        missing: list[FailedUser] = []
        deleted: list[str] = []
        for user_id in dict.fromkeys(user_ids):
            try:
                self._protect(caller, user_id)
                await self._remove(user_id)
                deleted.append(user_id)
            except ProtectedUser as error:
                refused.append(FailedUser(user_id, error.short))
            except UserNotFound:
                missing.append(FailedUser(user_id, "User not found"))
        return BulkUserDeletion(tuple(deleted), tuple(refused + missing))

    def _protect(self, caller: Caller, user_id: str) -> None:
        if user_id == self._root:
            raise ProtectedUser.root_deletion()
        if _is_self(caller, user_id):
            raise ProtectedUser.own_deletion()

    async def _remove(self, user_id: str) -> None:
        """The database first: whoever is thrown out of a meeting must not find a way back."""
        if not await self._users.remove(user_id, self._root):
            raise UserNotFound(user_id)
        log.info("user_deleted", user=user_id)
        await self._presence.kick_user(user_id)


def _require(caller: Caller, *roles: UserRole) -> None:
    if caller.member is not None or caller.kind == "anonymous" or caller.user is None or caller.user.role not in roles:
        raise InsufficientPermissions


def _is_self(caller: Caller, user_id: str) -> bool:
    return caller.user is not None and caller.user.user_id == user_id
