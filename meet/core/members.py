"""MemberService: registered users and named guests of a room (contract 2.3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import structlog

from .account_errors import AlreadyMember, NeedsNoMembership
from .callers import Caller
from .clock import Clock
from .edit_errors import RoomMemberChanged
from .edits import Versions, outdated, overtaken
from .errors import InsufficientPermissions, RoomMemberNotFound, RoomNotFound, UserNotFound
from .ids import new_guest_id
from .model.member import (
    BulkMemberDeletion,
    Candidacy,
    FailedMember,
    MemberFilter,
    NewMember,
    effective_permissions,
)
from .model.paging import Page, PageRequest
from .model.permissions import PERMISSIONS, RETRIEVAL, RoleName
from .model.room import Room, RoomMember
from .permissions import manages
from .ports import MemberRepository, RoomRepository
from .presence import Presence

log = structlog.get_logger(__name__)


class MemberService:
    """Existence of the room (404) is checked before rights (403), and those before the member."""

    def __init__(self, *, rooms: RoomRepository, members: MemberRepository, presence: Presence, clock: Clock) -> None:
        self._rooms = rooms
        self._members = members
        self._presence = presence
        self._clock = clock

    async def create(self, caller: Caller, room_id: str, new: NewMember) -> RoomMember:
        """Add a user, or a guest whose id is also their secret.

        Raises RoomNotFound, InsufficientPermissions, UserNotFound, AlreadyMember, NeedsNoMembership."""
        await self._managed(caller, room_id)
        now = self._clock.now_ms()
        custom = _custom(new.custom_permissions)
        guest_id = new_guest_id()

        def make(found: Candidacy) -> RoomMember:
            member_id, name = guest_id, new.name or ""
            if new.user_id is not None:
                member_id, name = new.user_id, _admissible(found, new.user_id)
            return RoomMember(
                room_id=room_id,
                member_id=member_id,
                user_id=new.user_id,
                name=name,
                membership_date=now,
                base_role=new.base_role,
                custom_permissions=custom,
                effective_permissions=effective_permissions(found.room.roles, new.base_role, custom),
                permissions_updated_at=now,
            )

        member = await self._members.add(room_id, new.user_id, make)
        if member is None:
            raise RoomNotFound(room_id)
        log.info("member_added", room=room_id, guest=member.user_id is None, role=member.base_role)
        return member

    async def list(self, caller: Caller, room_id: str, wanted: MemberFilter, request: PageRequest) -> Page[RoomMember]:
        """One page. Raises RoomNotFound, InsufficientPermissions, ValidationFailed."""
        await self._managed(caller, room_id)
        return await self._members.page(room_id, wanted, request)

    async def get(self, caller: Caller, room_id: str, member_id: str) -> RoomMember:
        """For those who manage the room and for the member. Raises RoomNotFound, RoomMemberNotFound,
        InsufficientPermissions, in that order."""
        room = await self._existing(room_id)
        member = await self._members.get(room_id, member_id)
        if member is None:
            raise RoomMemberNotFound(room_id, member_id)
        if not manages(caller, room) and not _is_member(caller, member):
            raise InsufficientPermissions
        return member

    async def update(
        self,
        caller: Caller,
        room_id: str,
        member_id: str,
        *,
        base_role: RoleName | None = None,
        custom_permissions: dict[str, bool] | None = None,
        versions: Versions = None,
    ) -> RoomMember:
        """Change the role, the own permissions (as a whole), or both. Older tokens of the member are void.

        Who may not join any more is removed from the meeting; anybody else there is told. Raises RoomNotFound,
        InsufficientPermissions, RoomMemberNotFound, RoomMemberChanged (in none of the `versions`, or somebody else was
        faster)."""
        await self._managed(caller, room_id)
        before = await self._members.get(room_id, member_id)
        if before is None:
            raise RoomMemberNotFound(room_id, member_id)
        now = self._clock.now_ms()
        wanted: dict[str, object] = {}
        if base_role is not None:
            wanted["base_role"] = base_role
        if custom_permissions is not None:
            wanted["custom_permissions"] = _custom(custom_permissions)

        def change(room: Room, member: RoomMember) -> RoomMember:
            if outdated(member, versions) or overtaken(wanted, _editable(before), _editable(member)):
                raise RoomMemberChanged(room_id, member_id)
            role = base_role or member.base_role
            custom = member.custom_permissions if custom_permissions is None else _custom(custom_permissions)
            return replace(
                member,
                base_role=role,
                custom_permissions=custom,
                effective_permissions=effective_permissions(room.roles, role, custom),
                permissions_updated_at=now,
            )

        member = await self._members.modify(room_id, member_id, change)
        if member is None:
            raise RoomMemberNotFound(room_id, member_id)
        log.info("member_changed", room=room_id, guest=member.user_id is None, role=member.base_role)
        if member.effective_permissions["canJoinMeeting"]:
            await self._presence.refresh(room_id, member_id)
        else:
            await self._presence.kick(room_id, member_id)
        return member

    async def delete(self, caller: Caller, room_id: str, member_id: str) -> None:
        """Remove the member, also from the meeting. Raises RoomNotFound, InsufficientPermissions,
        RoomMemberNotFound."""
        if not (await self.delete_many(caller, room_id, [member_id])).deleted:
            raise RoomMemberNotFound(room_id, member_id)

    async def delete_many(self, caller: Caller, room_id: str, member_ids: Sequence[str]) -> BulkMemberDeletion:
        """Remove those that are there and report the others. Raises RoomNotFound, InsufficientPermissions."""
        await self._managed(caller, room_id)
        wanted = list(dict.fromkeys(member_ids))
        deleted = await self._members.remove(room_id, wanted)
        await self._presence.kick_all(room_id, deleted)  # after the removal: nobody must come back in between
        log.info("members_removed", room=room_id, count=len(deleted))
        failed = tuple(FailedMember(each, "Room member not found") for each in wanted if each not in deleted)
        return BulkMemberDeletion(tuple(deleted), failed)

    async def _existing(self, room_id: str) -> Room:
        room = await self._rooms.get(room_id)
        if room is None:
            raise RoomNotFound(room_id)
        return room

    async def _managed(self, caller: Caller, room_id: str) -> Room:
        room = await self._existing(room_id)
        if not manages(caller, room):
            raise InsufficientPermissions
        return room


def _admissible(found: Candidacy, user_id: str) -> str:
    """The name under which the user becomes a member. Raises UserNotFound, AlreadyMember, NeedsNoMembership."""
    if found.user is None:
        raise UserNotFound(user_id)
    if found.is_member:
        raise AlreadyMember(found.room.room_id, user_id)
    if found.user.role == "admin" or found.room.owner == user_id:
        raise NeedsNoMembership(found.room.room_id, user_id)
    return found.user.name


def _is_member(caller: Caller, member: RoomMember) -> bool:
    if caller.member is not None:
        return caller.member.room_id == member.room_id and caller.member.member_id == member.member_id
    return caller.kind != "anonymous" and caller.user is not None and caller.user.user_id == member.user_id


def _editable(member: RoomMember) -> dict[str, object]:
    return {"base_role": member.base_role, "custom_permissions": member.custom_permissions}


def _custom(permissions: dict[str, bool] | None) -> dict[str, bool] | None:
    """In contract order; a map that overrides nothing is none."""
    given = permissions or {}
    return {str(name): given[name] for name in (*PERMISSIONS, *RETRIEVAL) if name in given} or None
