"""RoomService: create, read and change rooms. Deletion: `room_removal.py`; meeting events: `room_lifecycle.py`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final, Literal

import structlog

from .account_ports import UserRepository
from .callers import Caller
from .clock import Clock
from .edit_errors import RoomChanged
from .edits import Versions, outdated, overtaken, status_overtaken
from .errors import InsufficientPermissions, RoomHasActiveMeeting, RoomNotFound, ValidationFailed
from .ids import new_room_id
from .model.paging import Page, Reach, RoomFilter, RoomQuery
from .model.permissions import Roles
from .model.room import (
    AutoDeletionPolicy,
    BulkRoomDeletion,
    NewRoom,
    PartialAccess,
    PartialRoles,
    PartialRoomConfig,
    Room,
    RoomConfig,
    RoomDeletion,
    RoomView,
    StatusUpdate,
    WithMeeting,
    WithRecordings,
)
from .permissions import Rights, manages
from .ports import RoomRepository
from .room_documents import (
    default_access,
    default_config,
    default_roles,
    merge_access,
    merge_config,
    merge_roles,
)
from .room_removal import RoomRemoval

log = structlog.get_logger(__name__)

_KIND_POLICY: Final[AutoDeletionPolicy] = {"withMeeting": "when_meeting_ends", "withRecordings": "close"}
"""What happens when the date has come, unless the creator of the room says otherwise."""


class RoomService:
    """Room operations of the REST surface, with their authorization. Existence (404) is checked before rights (403)."""

    def __init__(
        self,
        *,
        rooms: RoomRepository,
        rights: Rights,
        removal: RoomRemoval,
        users: UserRepository,
        clock: Clock,
        root: str,
    ) -> None:
        self._rooms = rooms
        self._rights = rights
        self._removal = removal
        self._users = users
        self._clock = clock
        self._root = root

    async def create(self, caller: Caller, new: NewRoom) -> Room:
        """Create a room owned by the caller (the root admin for an API key).

        Raises InsufficientPermissions for callers without a user, ValidationFailed for names."""
        if caller.user is None or caller.member is not None or caller.user.role == "room_member":
            raise InsufficientPermissions
        name = " ".join(new.room_name.split())
        if not name:
            raise ValidationFailed.one("roomName", "roomName cannot be empty")
        now = self._clock.now_ms()
        policy = new.auto_deletion_policy or _KIND_POLICY
        room = Room(
            room_id=new_room_id(name),
            room_name=name,
            owner=caller.user.user_id,
            creation_date=now,
            config=merge_config(default_config(), new.config),
            roles=merge_roles(default_roles(), new.roles),
            access=merge_access(default_access(), new.access),
            status="open",
            roles_updated_at=now,
            meeting_end_action="none",
            auto_deletion_date=new.auto_deletion_date,
            auto_deletion_policy=None if new.auto_deletion_date is None else policy,
        )
        await self._rooms.add(room)
        if await self._users.disown(room.owner, self._root):  # they lost the right to own rooms in the meantime
            room = replace(room, owner=self._root)
        log.info("room_created", room=room.room_id, owner=room.owner)
        return room

    async def get(self, caller: Caller, room_id: str) -> RoomView:
        """The room and what the caller may do in it. Raises RoomNotFound, InsufficientPermissions."""
        room = await self._existing(room_id)
        permissions = await self._rights.of(caller, room)
        if permissions is None:
            raise InsufficientPermissions
        return RoomView(room, permissions)

    async def list(self, caller: Caller, query: RoomQuery) -> Page[RoomView]:
        """One page of the rooms within the caller's reach (contract 2.2.2).

        Raises InsufficientPermissions when `owner` or `member` names somebody else, ValidationFailed."""
        wanted = RoomFilter(name=query.name, status=query.status, reach=_reach(caller, query))
        page = await self._rooms.page(wanted, query.page)
        views = []
        for room in page.items:
            permissions = await self._rights.of(caller, room)
            if permissions is not None:  # lost between the query and here
                views.append(RoomView(room, permissions))
        return Page(tuple(views), page.next_token, page.max_items)

    async def update_config(
        self, caller: Caller, room_id: str, changes: PartialRoomConfig, *, versions: Versions = None
    ) -> RoomConfig:
        """Deep merge into the stored configuration; returns it complete. Raises also RoomHasActiveMeeting, and like
        every update RoomChanged: for a room in none of the `versions`, or when somebody else was faster."""
        before = await self._existing(room_id)

        def change(room: Room) -> Room:
            if overtaken(changes, before.config, room.config):
                raise RoomChanged(room_id)
            return replace(room, config=merge_config(room.config, changes))

        return (await self._change_idle(caller, room_id, change, versions)).config

    async def update_status(
        self, caller: Caller, room_id: str, status: Literal["open", "closed"], *, versions: Versions = None
    ) -> StatusUpdate:
        """Open or close. Closing during a meeting only arranges for it to happen at its end."""
        before = await self._existing(room_id)

        def change(room: Room) -> Room:
            if not manages(caller, room):
                raise InsufficientPermissions
            if outdated(room, versions) or status_overtaken(status, before, room):
                raise RoomChanged(room_id)
            if status == "closed" and room.status == "active_meeting":
                return replace(room, meeting_end_action="close")
            return replace(room, status=status, meeting_end_action="none")

        room = await self._modify(room_id, change)
        return StatusUpdate(room, deferred=room.status != status)

    async def update_roles(
        self, caller: Caller, room_id: str, changes: PartialRoles, *, versions: Versions = None
    ) -> Roles:
        """Deep merge into the roles; every outstanding room member token of the room dies."""
        before, now = await self._existing(room_id), self._clock.now_ms()

        def change(room: Room) -> Room:
            if overtaken(changes, before.roles, room.roles):
                raise RoomChanged(room_id)
            return replace(room, roles=merge_roles(room.roles, changes), roles_updated_at=now)

        return (await self._change_idle(caller, room_id, change, versions, roles_changed=True)).roles

    async def update_access(
        self, caller: Caller, room_id: str, changes: PartialAccess, *, versions: Versions = None
    ) -> Room:
        """Switch links on or off (their secrets stay); every outstanding room member token of the room dies."""
        before, now = await self._existing(room_id), self._clock.now_ms()

        def change(room: Room) -> Room:
            if overtaken(changes, before.access, room.access):
                raise RoomChanged(room_id)
            return replace(room, access=merge_access(room.access, changes), roles_updated_at=now)

        return await self._change_idle(caller, room_id, change, versions)

    async def delete(
        self,
        caller: Caller,
        room_id: str,
        *,
        with_meeting: WithMeeting = "fail",
        with_recordings: WithRecordings = "fail",
    ) -> RoomDeletion:
        """Delete, close or schedule either, as the table of contract 2.2.3 says. Raises RoomDeletionRefused (409)."""
        if not manages(caller, await self._existing(room_id)):
            raise InsufficientPermissions
        done = await self._removal.delete(room_id, with_meeting, with_recordings)
        await self._removal.await_ends([done])
        return done

    async def delete_many(
        self,
        caller: Caller,
        room_ids: Sequence[str],
        *,
        with_meeting: WithMeeting = "fail",
        with_recordings: WithRecordings = "fail",
    ) -> BulkRoomDeletion:
        """`delete` for each id; refused items are reported one by one and never raise."""
        done = await self._removal.delete_many(caller, room_ids, with_meeting, with_recordings)
        await self._removal.await_ends(done.deleted)
        return done

    async def _existing(self, room_id: str) -> Room:
        room = await self._rooms.get(room_id)
        if room is None:
            raise RoomNotFound(room_id)
        return room

    async def _modify(self, room_id: str, change: Callable[[Room], Room], *, roles_changed: bool = False) -> Room:
        room = await self._rooms.modify(room_id, change, roles_changed=roles_changed)
        if room is None:
            raise RoomNotFound(room_id)
        return room

    async def _change_idle(
        self,
        caller: Caller,
        room_id: str,
        change: Callable[[Room], Room],
        versions: Versions,
        *,
        roles_changed: bool = False,
    ) -> Room:
        """Rights, the no-meeting rule and the version are checked inside the transaction that writes."""

        def guarded(room: Room) -> Room:
            if not manages(caller, room):
                raise InsufficientPermissions
            if room.status == "active_meeting":
                raise RoomHasActiveMeeting(room_id)
            if outdated(room, versions):
                raise RoomChanged(room_id)
            return change(room)

        return await self._modify(room_id, guarded, roles_changed=roles_changed)


def _reach(caller: Caller, query: RoomQuery) -> Reach | None:
    """The OR group of a room list: what was asked for, or the caller's default scope; None is everything."""
    asked = Reach(query.owner, query.member, query.user_access)
    given = asked != Reach()
    if caller.is_admin:
        return asked if given else None
    user = caller.user
    if user is None or caller.member is not None or caller.kind == "anonymous":
        raise InsufficientPermissions
    if {query.owner, query.member} - {None, user.user_id}:
        raise InsufficientPermissions
    if given:
        return asked
    owner = user.user_id if user.role == "room_manager" else None
    return Reach(owner=owner, member=user.user_id, user_access=True)
