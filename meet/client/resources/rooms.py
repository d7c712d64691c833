"""`client.rooms`: places where meetings happen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from meet.client.flow import Flow
from meet.client.inputs import (
    AutoDeletionPolicyInput,
    MatchMode,
    MeetingPolicy,
    RecordingsPolicy,
    RolesInput,
    RoomAccessInput,
    RoomConfigInput,
    SortOrder,
)
from meet.client.models.base import Page
from meet.client.models.permissions import Roles
from meet.client.models.rooms import Room, RoomAccess, RoomBulkDeletion, RoomConfig, RoomDeletion, RoomStatus
from meet.client.operation import Iteration, operation
from meet.client.resource import PUBLIC, AsyncResource, Names, PageReader, Resource, SyncResource, given, params, path

_page = PageReader(Room, "rooms")


class RoomOperations(Resource):
    """Create, find, configure, close and delete rooms."""

    @operation("createRoom")
    def create(
        self,
        room_name: str | None = None,
        *,
        auto_deletion_date: float | None = None,
        auto_deletion_policy: AutoDeletionPolicyInput | None = None,
        config: RoomConfigInput | None = None,
        roles: RolesInput | None = None,
        access: RoomAccessInput | None = None,
        fields: Names = None,
        extra_fields: Names = None,
    ) -> Flow[Room]:
        """A new room of the caller's; everything has a default. `auto_deletion_date` is in milliseconds."""
        body = given(
            room_name=room_name,
            auto_deletion_date=auto_deletion_date,
            auto_deletion_policy=auto_deletion_policy,
            config=config,
            roles=roles,
            access=access,
        )
        query = params(fields=fields, extra_fields=extra_fields)
        return self._request("POST", f"{PUBLIC}/rooms", Room.model_validate_json, query=query, body=body)

    @operation("getRooms")
    def list(
        self,
        *,
        room_name: str | None = None,
        room_name_match_mode: MatchMode | None = None,
        room_name_case_insensitive: bool | None = None,
        owner: str | None = None,
        member: str | None = None,
        user_access: bool | None = None,
        status: RoomStatus | None = None,
        fields: Names = None,
        extra_fields: Names = None,
        max_items: int | None = None,
        next_page_token: str | None = None,
        sort_field: Literal["creationDate", "roomName", "autoDeletionDate"] | None = None,
        sort_order: SortOrder | None = None,
    ) -> Flow[Page[Room]]:
        """Rooms, newest first unless sorted otherwise. `owner`, `member` and `user_access` widen each other."""
        query = params(
            room_name=room_name,
            room_name_match_mode=room_name_match_mode,
            room_name_case_insensitive=room_name_case_insensitive,
            owner=owner,
            member=member,
            user_access=user_access,
            status=status,
            fields=fields,
            extra_fields=extra_fields,
            max_items=max_items,
            next_page_token=next_page_token,
            sort_field=sort_field,
            sort_order=sort_order,
        )
        return self._request("GET", f"{PUBLIC}/rooms", _page, query=query)

    iterate = Iteration(list)

    @operation("getRoom")
    def get(self, room_id: str, *, fields: Names = None, extra_fields: Names = None) -> Flow[Room]:
        """One room."""
        query = params(fields=fields, extra_fields=extra_fields)
        return self._request("GET", PUBLIC + path("/rooms/{}", room_id), Room.model_validate_json, query=query)

    @operation("deleteRoom")
    def delete(
        self,
        room_id: str,
        *,
        with_meeting: MeetingPolicy | None = None,
        with_recordings: RecordingsPolicy | None = None,
        fields: Names = None,
        extra_fields: Names = None,
    ) -> Flow[RoomDeletion]:
        """Delete a room now or later, or close it: the policies decide, `success_code` tells. Refusals are Conflict."""
        query = params(
            with_meeting=with_meeting, with_recordings=with_recordings, fields=fields, extra_fields=extra_fields
        )
        url = PUBLIC + path("/rooms/{}", room_id)
        return self._request("DELETE", url, RoomDeletion.model_validate_json, query=query)

    @operation("bulkDeleteRooms")
    def delete_several(
        self,
        room_ids: Sequence[str],
        *,
        with_meeting: MeetingPolicy | None = None,
        with_recordings: RecordingsPolicy | None = None,
        fields: Names = None,
        extra_fields: Names = None,
    ) -> Flow[RoomBulkDeletion]:
        """Delete several rooms by the same policies and tell what became of each."""
        query = params(
            room_ids=room_ids,
            with_meeting=with_meeting,
            with_recordings=with_recordings,
            fields=fields,
            extra_fields=extra_fields,
        )
        return self._delete_several(f"{PUBLIC}/rooms", RoomBulkDeletion.model_validate_json, query=query)

    @operation("getRoomConfig")
    def get_config(self, room_id: str) -> Flow[RoomConfig]:
        """What meetings in the room offer."""
        return self._request("GET", PUBLIC + path("/rooms/{}/config", room_id), RoomConfig.model_validate_json)

    @operation("updateRoomConfig")
    def update_config(self, room_id: str, config: RoomConfigInput) -> Flow[RoomConfig]:
        """Change parts of the configuration; Conflict while people are meeting."""
        url = PUBLIC + path("/rooms/{}/config", room_id)
        return self._request("PUT", url, RoomConfig.model_validate_json, body={"config": config})

    @operation("updateRoomStatus")
    def set_status(
        self,
        room_id: str,
        status: Literal["open", "closed"],
        *,
        fields: Names = None,
        extra_fields: Names = None,
    ) -> Flow[Room]:
        """Open or close a room. Closing waits for the end of a meeting: `meeting_end_action` is `close` then."""
        query = params(fields=fields, extra_fields=extra_fields)
        url = PUBLIC + path("/rooms/{}/status", room_id)
        return self._request("PUT", url, Room.model_validate_json, query=query, body={"status": status})

    @operation("updateRoomRoles")
    def update_roles(self, room_id: str, roles: RolesInput) -> Flow[Roles]:
        """Change what the roles of a room grant; room member tokens made before are void."""
        url = PUBLIC + path("/rooms/{}/roles", room_id)
        return self._request("PUT", url, Roles.model_validate_json, body={"roles": roles})

    @operation("updateRoomAccess")
    def update_access(self, room_id: str, access: RoomAccessInput) -> Flow[RoomAccess]:
        """Open or shut ways into a room; room member tokens made before are void, links stay."""
        url = PUBLIC + path("/rooms/{}/access", room_id)
        return self._request("PUT", url, RoomAccess.model_validate_json, body={"access": access})


class Rooms(RoomOperations, SyncResource):
    """Rooms, blocking."""


class AsyncRooms(RoomOperations, AsyncResource):
    """Rooms, with asyncio."""
