"""Every operation of the client, called once with everything it takes, by what it asks for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from meet.client.operation import Operation
from meet.client.resource import Resource
from meet.client.resources import administration, meetings, members, recordings, rooms, sharing, users, webhooks

ROOM = "daily-0123456789abcde"
RECORDING = f"{ROOM}--EG_1--0123456789"
SWITCH = {"enabled": True}
RIGHTS = {"canRecord": True}
SELECTION = {"fields": ["roomId"], "extra_fields": "config,roles"}
PAGE = {"max_items": 3, "next_page_token": "abc", "sort_order": "asc"}
NAME = {"name": "an", "name_match_mode": "prefix", "name_case_insensitive": True}
ROOM_NAME = {f"room_{key}": value for key, value in NAME.items()}

ARGUMENTS: dict[str, tuple[tuple[Any, ...], dict[str, Any]]] = {
    "createUser": (("alice",), {"name": "Alice", "role": "admin", "password": "correct horse"}),
    "getUsers": ((), {"user_id": "alice", "role": "admin", "sort_field": "name", **NAME, **PAGE}),
    "getUser": (("alice",), {}),
    "deleteUser": (("alice",), {}),
    "bulkDeleteUsers": ((["alice", "bobby"],), {}),
    "resetUserPassword": (("alice", "correct horse"), {}),
    "updateUserRole": (("alice", "room_manager"), {}),
    "createRoom": (
        ("Daily",),
        {
            "auto_deletion_date": 1_999_999_999_999,
            "auto_deletion_policy": {"withMeeting": "force", "withRecordings": "close"},
            "config": {"recording": {"enabled": True, "layout": "speaker"}, "chat": SWITCH},
            "roles": {"speaker": {"permissions": RIGHTS}},
            "access": {"anonymous": {"speaker": SWITCH}, "user": SWITCH},
            **SELECTION,
        },
    ),
    "getRooms": (
        (),
        {"owner": "alice", "member": "bobby", "user_access": True, "status": "open", "sort_field": "roomName"}
        | ROOM_NAME
        | PAGE
        | SELECTION,
    ),
    "getRoom": ((ROOM,), SELECTION),
    "deleteRoom": ((ROOM,), {"with_meeting": "force", "with_recordings": "close", **SELECTION}),
    "bulkDeleteRooms": (([ROOM],), {"with_meeting": "force", "with_recordings": "close", **SELECTION}),
    "getRoomConfig": ((ROOM,), {}),
    "updateRoomConfig": ((ROOM, {"e2ee": SWITCH}), {}),
    "updateRoomStatus": ((ROOM, "closed"), SELECTION),
    "updateRoomRoles": ((ROOM, {"moderator": {"permissions": RIGHTS}}), {}),
    "updateRoomAccess": ((ROOM, {"user": SWITCH}), {}),
    "createRoomMember": ((ROOM,), {"base_role": "speaker", "name": "Ana", "custom_permissions": RIGHTS, **SELECTION}),
    "getRoomMembers": (
        (ROOM,),
        {"base_role": "speaker", "type": "user", "sort_field": "name", **NAME, **PAGE, **SELECTION},
    ),
    "getRoomMember": ((ROOM, "alice"), SELECTION),
    "updateRoomMember": ((ROOM, "alice"), {"base_role": "speaker", "custom_permissions": {}, **SELECTION}),
    "deleteRoomMember": ((ROOM, "alice"), {}),
    "bulkDeleteRoomMembers": ((ROOM, ["alice"]), {}),
    "startRecording": ((ROOM,), {"layout": "grid", "encoding": "H264_720P_30", "fields": "roomId"}),
    "startComposedRecording": ((ROOM, "after"), {"audio_only": True, "layout": "grid", "encoding": "H264_720P_30"}),
    "inspectRecording": ((RECORDING,), {}),
    "setRecordingLayout": ((RECORDING, "speaker"), {}),
    "pauseRecording": ((RECORDING,), {}),
    "resumeRecording": ((RECORDING,), {}),
    "getRecordings": (
        (),
        {"room_id": ROOM, "status": "complete", "sort_field": "size", "fields": "roomId", **ROOM_NAME, **PAGE},
    ),
    "bulkDeleteRecordings": (([RECORDING],), {}),
    "getRecording": ((RECORDING,), {"recording_secret": "0123456789", "fields": "roomId"}),
    "deleteRecording": ((RECORDING,), {}),
    "stopRecording": ((RECORDING,), {"fields": "roomId"}),
    "getRecordingUrl": ((RECORDING,), {"private_access": True}),
    "getRecordingPlaylist": ((RECORDING,), {"recording_secret": "0123456789"}),
    "getPlaylistMedia": ((RECORDING, "/nonexistent/c.mp4"), {"recording_secret": "0123456789"}),
    "getRecordingStream": ((RECORDING, "/nonexistent/b.mp4"), {"recording_secret": "0123456789"}),
    "getRecordingMedia": ((RECORDING, "/nonexistent/a.mp4"), {"recording_secret": "0123456789"}),
    "downloadRecording": ((RECORDING, "/nonexistent/a.mp4"), {"recording_secret": "0123456789"}),
    "downloadRecordings": (([RECORDING], "/nonexistent/a.zip"), {}),
    "generateRoomMemberToken": (
        (ROOM,),
        {"secret": "0123456789", "join_meeting": True, "participant_name": "Ana"},
    ),
    "refreshRoomMemberToken": ((ROOM,), {}),
    "endMeeting": ((ROOM,), {}),
    "kickParticipant": ((ROOM, "ana-1"), {}),
    "updateParticipantRole": ((ROOM, "ana-1", "upgrade"), {}),
    "login": (("alice", "correct horse"), {}),
    "logout": ((), {}),
    "refreshToken": (("eyJ",), {}),
    "getMe": ((), {}),
    "changePassword": (("correct horse", "battery staple"), {}),
    "createApiKey": ((), {}),
    "getApiKeys": ((), {}),
    "deleteApiKeys": ((), {}),
    "getWebhookConfig": ((), {}),
    "updateWebhookConfig": ((), {"enabled": True, "url": "https://example.com/events"}),
    "testWebhook": (("https://example.com/events",), {}),
    "getSecurityConfig": ((), {}),
    "updateSecurityConfig": (
        ([{"provider": "google", "clientId": "a", "clientSecret": "b", "redirectUri": "https://example.com"}],),
        {},
    ),
    "getRoomsAppearanceConfig": ((), {}),
    "updateRoomsAppearanceConfig": (({"name": "own", "enabled": True, "baseTheme": "dark"},), {}),
    "getCaptionsConfig": ((), {}),
    "getAnalytics": ((), {}),
    "getWebhookDeliveries": ((), {"status": "failed", "event": "meetingEnded", "subject": ROOM, **PAGE}),
    "getWebhookDelivery": (("WD_1",), {}),
    "redeliverWebhook": (("WD_1",), {}),
    "createShareLink": ((RECORDING,), {"private_access": True, "expires_at": 1_999_999_999_999}),
    "getShareLinks": ((RECORDING,), PAGE),
    "revokeShareLink": ((RECORDING, "SL_1"), {}),
    "revokeRecordingUrls": ((RECORDING, "public"), {}),
}


@dataclass(frozen=True)
class Asked:
    """What an operation wants to be sent, and how it reads the answer."""

    method: str
    path: str
    answer: Callable[[bytes], Any]
    query: dict[str, str]
    body: Any


def operations() -> dict[str, Operation[Any, Any]]:
    """Every operation of the client by its `operationId`."""
    found: dict[str, Operation[Any, Any]] = {}
    for module in (administration, meetings, members, recordings, rooms, sharing, users, webhooks):
        for resource in vars(module).values():
            if isinstance(resource, type) and issubclass(resource, Resource):
                for member in vars(resource).values():
                    if isinstance(member, Operation):
                        found.update(dict.fromkeys(member.ids, member))
    return found


def ask(operation_id: str) -> Asked:
    """Call an operation with its arguments of the table. Downloads do not go through here."""
    arguments, options = ARGUMENTS[operation_id]
    asked: Asked = operations()[operation_id].build(_Spy(), *arguments, **options)  # type: ignore[assignment]
    return asked


class _Spy:
    """Stands for a resource."""

    def _request(
        self, method: str, path: str, answer: Any, *, query: Any = None, body: Any = None, headers: Any = None
    ) -> Asked:
        return Asked(method, path, answer, query or {}, body)

    def _delete_several(self, path: str, answer: Any, *, query: Any) -> Asked:
        return Asked("DELETE", path, answer, query, None)


OPENAPI = Path(__file__).parents[3] / "openapi"
