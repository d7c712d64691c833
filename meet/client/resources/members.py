"""`client.members`: who has rights of their own in a room, and tokens for entering it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from meet.client.flow import Flow
from meet.client.inputs import MatchMode, Permissions, SortOrder
from meet.client.models.administration import RoomMemberToken
from meet.client.models.base import Message, Page
from meet.client.models.members import BaseRole, Member, MemberBulkDeletion, MemberType
from meet.client.operation import Iteration, operation
from meet.client.resource import (
    INTERNAL,
    PUBLIC,
    AsyncResource,
    Names,
    PageReader,
    Resource,
    SyncResource,
    given,
    params,
    path,
)

_page = PageReader(Member, "members")


class MemberOperations(Resource):
    """Add, find, change and remove members; make tokens."""

    @operation("createRoomMember")
    def create(
        self,
        room_id: str,
        *,
        base_role: BaseRole,
        user_id: str | None = None,
        name: str | None = None,
        custom_permissions: Permissions | None = None,
        fields: Names = None,
        extra_fields: Names = None,
    ) -> Flow[Member]:
        """A new member: a registered user by `user_id`, or a guest by `name`, who gets a link of their own."""
        body = given(user_id=user_id, name=name, base_role=base_role, custom_permissions=custom_permissions)
        query = params(fields=fields, extra_fields=extra_fields)
        url = PUBLIC + path("/rooms/{}/members", room_id)
        return self._request("POST", url, Member.model_validate_json, query=query, body=body)

    @operation("getRoomMembers")
    def list(
        self,
        room_id: str,
        *,
        name: str | None = None,
        name_match_mode: MatchMode | None = None,
        name_case_insensitive: bool | None = None,
        base_role: BaseRole | None = None,
        type: MemberType | None = None,
        fields: Names = None,
        extra_fields: Names = None,
        max_items: int | None = None,
        next_page_token: str | None = None,
        sort_field: Literal["membershipDate", "name"] | None = None,
        sort_order: SortOrder | None = None,
    ) -> Flow[Page[Member]]:
        """Members of a room, newest first unless sorted otherwise."""
        query = params(
            name=name,
            name_match_mode=name_match_mode,
            name_case_insensitive=name_case_insensitive,
            base_role=base_role,
            type=type,
            fields=fields,
            extra_fields=extra_fields,
            max_items=max_items,
            next_page_token=next_page_token,
            sort_field=sort_field,
            sort_order=sort_order,
        )
        return self._request("GET", PUBLIC + path("/rooms/{}/members", room_id), _page, query=query)

    iterate = Iteration(list)

    @operation("getRoomMember")
    def get(self, room_id: str, member_id: str, *, fields: Names = None, extra_fields: Names = None) -> Flow[Member]:
        """One member."""
        query = params(fields=fields, extra_fields=extra_fields)
        url = PUBLIC + path("/rooms/{}/members/{}", room_id, member_id)
        return self._request("GET", url, Member.model_validate_json, query=query)

    @operation("updateRoomMember")
    def update(
        self,
        room_id: str,
        member_id: str,
        *,
        base_role: BaseRole | None = None,
        custom_permissions: Permissions | None = None,
        fields: Names = None,
        extra_fields: Names = None,
    ) -> Flow[Member]:
        """Change a member's rights; `custom_permissions` replaces the former ones, `{}` clears them."""
        query = params(fields=fields, extra_fields=extra_fields)
        body = given(base_role=base_role, custom_permissions=custom_permissions)
        url = PUBLIC + path("/rooms/{}/members/{}", room_id, member_id)
        return self._request("PUT", url, Member.model_validate_json, query=query, body=body)

    @operation("deleteRoomMember")
    def delete(self, room_id: str, member_id: str) -> Flow[Message]:
        """Remove a member, also from the meeting."""
        url = PUBLIC + path("/rooms/{}/members/{}", room_id, member_id)
        return self._request("DELETE", url, Message.model_validate_json)

    @operation("bulkDeleteRoomMembers")
    def delete_several(self, room_id: str, member_ids: Sequence[str]) -> Flow[MemberBulkDeletion]:
        """Remove several members and tell what became of each."""
        url = PUBLIC + path("/rooms/{}/members", room_id)
        query = params(member_ids=member_ids)
        return self._delete_several(url, MemberBulkDeletion.model_validate_json, query=query)

    @operation("generateRoomMemberToken")
    def create_token(
        self,
        room_id: str,
        *,
        secret: str | None = None,
        join_meeting: bool = False,
        participant_name: str | None = None,
    ) -> Flow[RoomMemberToken]:
        """A token for one room, by a link's secret or the caller's own rights; `join_meeting` opens the meeting."""
        body = given(secret=secret, join_meeting=join_meeting, participant_name=participant_name)
        url = INTERNAL + path("/rooms/{}/members/token", room_id)
        return self._request("POST", url, RoomMemberToken.model_validate_json, body=body)

    @operation("refreshRoomMemberToken")
    def refresh_token(self, room_id: str) -> Flow[RoomMemberToken]:
        """A fresh token for the participant that the client's room member token names, while it is in the meeting."""
        url = INTERNAL + path("/rooms/{}/members/token/refresh", room_id)
        return self._request("POST", url, RoomMemberToken.model_validate_json)


class Members(MemberOperations, SyncResource):
    """Members, blocking."""


class AsyncMembers(MemberOperations, AsyncResource):
    """Members, with asyncio."""
