"""Rooms as clients see them: documents with absolute links (contract 3.1, 3.5)."""

from __future__ import annotations

from typing import Any

from .model.member import member_type
from .model.room import AnonymousEntry, Room, RoomMember


def access_document(room: Room, base_url: str, *, links: bool = True) -> dict[str, Any]:
    """The access block. `base_url` has no trailing slash; without `links` the anonymous urls are left out."""
    page = f"{base_url}/room/{room.room_id}"
    anonymous = room.access["anonymous"]

    def entry(stored: AnonymousEntry, path: str) -> dict[str, Any]:
        if not links:
            return {"enabled": stored["enabled"]}
        return {"enabled": stored["enabled"], "url": f"{path}?secret={stored['secret']}"}

    return {
        "anonymous": {
            "moderator": entry(anonymous["moderator"], page),
            "speaker": entry(anonymous["speaker"], page),
            "recording": entry(anonymous["recording"], f"{page}/recordings"),
        },
        "user": {"enabled": room.access["user"]["enabled"], "url": page},
    }


def room_document(room: Room, base_url: str, *, links: bool = True) -> dict[str, Any]:
    """Every field of a room in canonical order; absent ones are left out."""
    document: dict[str, Any] = {
        "roomId": room.room_id,
        "roomName": room.room_name,
        "owner": room.owner,
        "creationDate": room.creation_date,
        "config": room.config,
        "roles": room.roles,
        "access": access_document(room, base_url, links=links),
        "status": room.status,
        "rolesUpdatedAt": room.roles_updated_at,
        "meetingEndAction": room.meeting_end_action,
    }
    if room.auto_deletion_date is not None:
        document["autoDeletionDate"] = room.auto_deletion_date
    if room.auto_deletion_policy is not None:
        document["autoDeletionPolicy"] = room.auto_deletion_policy
    return document


def member_document(member: RoomMember, base_url: str) -> dict[str, Any]:
    """Every field of a room member (contract 3.6); a guest's link holds their secret."""
    page = f"{base_url}/room/{member.room_id}"
    document: dict[str, Any] = {
        "memberId": member.member_id,
        "roomId": member.room_id,
        "name": member.name,
        "type": member_type(member),
        "membershipDate": member.membership_date,
        "accessUrl": page if member.user_id is not None else f"{page}?secret={member.member_id}",
        "baseRole": member.base_role,
        "customPermissions": member.custom_permissions,
        "effectivePermissions": member.effective_permissions,
        "permissionsUpdatedAt": member.permissions_updated_at,
    }
    return {name: value for name, value in document.items() if value is not None}
