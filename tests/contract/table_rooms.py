"""Rooms: contract 2.2."""

from __future__ import annotations

from dataclasses import replace

from .table import MALFORMED, TOO_LARGE, Operation, Situation, Stage, outdated
from .world import GONE, Scene

UNRELATED = {"manager": 403, "member": 403}
STRANGERS = {**UNRELATED, "moderator elsewhere": 403}
NO_ROOM = "daily-000000000000000"


async def broken(scene: Scene) -> None:
    for part in scene.world.data:
        part.broken = GONE


async def meeting(scene: Scene) -> None:
    await scene.meet()


async def recorded(scene: Scene) -> None:
    await scene.add_recording(media=False)


async def recorded_meeting(scene: Scene) -> None:
    await scene.meet()
    await scene.add_recording(media=False)


async def unreachable_meeting(scene: Scene) -> None:
    await scene.meet()
    scene.world.media.reachable = False


async def closing(scene: Scene) -> None:
    await scene.change_room(lambda room: replace(room, status="closed"))


def failing(text: str) -> Situation:
    return Situation("the database is gone", Stage.EXISTENCE, 500, broken, error=f"Unexpected error while {text}")


def missing(path: str) -> Situation:
    return Situation(
        "no such room",
        Stage.EXISTENCE,
        404,
        path=path.replace("{room}", NO_ROOM),
        error=f"Room '{NO_ROOM}' does not exist",
    )


def too_long(path: str) -> Situation:
    return Situation(
        "an impossible room id",
        Stage.VALIDATION,
        422,
        path=path.replace("{room}", "r" * 101),
        error="roomId cannot exceed 100 characters",
    )


def update(operation_id: str, part: str, body: object, wrong: object, text: str, *also: Situation) -> Operation:
    """PUT of one part of a room."""
    path = f"/api/v1/rooms/{{room}}/{part}"
    return Operation(
        operation_id,
        "PUT",
        path,
        "KAM",
        200,
        rights=UNRELATED,
        body={part: body},
        situations=(
            MALFORMED,
            TOO_LARGE,
            Situation("a wrong body", Stage.VALIDATION, 422, body={part: wrong}),
            Situation("an empty body", Stage.VALIDATION, 422, body={}, error="Required"),
            too_long(path),
            missing(path),
            failing(f"{text} for room '{{room}}'"),
            *also,
        ),
    )


BUSY = Situation("a meeting", Stage.STATE, 409, meeting, error="Room '{room}' has an active meeting")

OLD = outdated("Room '{room}' has been changed")

OPERATIONS = [
    Operation(
        "createRoom",
        "POST",
        "/api/v1/rooms",
        "KAM",
        201,
        body={"roomName": "Weekly", "config": {"recording": {"enabled": True, "layout": "speaker"}}},
        situations=(
            MALFORMED,
            TOO_LARGE,
            Situation("no body", Stage.VALIDATION, 422, content=b"", error="Required"),
            Situation(
                "a long name",
                Stage.VALIDATION,
                422,
                body={"roomName": "n" * 51},
                error="roomName cannot exceed 50 characters",
            ),
            Situation("a name of spaces", Stage.STATE, 422, body={"roomName": "  "}, error="roomName cannot be empty"),
            Situation(
                "a deletion date in the past",
                Stage.VALIDATION,
                422,
                body={"autoDeletionDate": 1},
                error="autoDeletionDate must be at least 1h in the future",
            ),
            Situation(
                "a deletion date beyond all calendars",
                Stage.VALIDATION,
                422,
                body={"autoDeletionDate": 10**30},
                error="autoDeletionDate must be a date",
            ),
            failing("creating room"),
        ),
    ),
    Operation(
        "getRooms",
        "GET",
        "/api/v1/rooms",
        "KAMB",
        200,
        query={"maxItems": "2", "extraFields": "config,roles"},
        situations=(
            Situation(
                "a page of nothing",
                Stage.VALIDATION,
                422,
                query={"maxItems": "0"},
                error="maxItems must be a positive number",
            ),
            Situation(
                "an unknown order",
                Stage.VALIDATION,
                422,
                query={"sortOrder": "up"},
                error="Invalid enum value. Expected 'asc' | 'desc', received 'up'",
            ),
            Situation("a cursor of somebody else", Stage.STATE, 422, query={"nextPageToken": "%%%"}),
            Situation(
                "a pattern that is none",
                Stage.STATE,
                422,
                query={"roomName": "(", "roomNameMatchMode": "regex"},
                error="Invalid regular expression pattern",
            ),
            failing("getting rooms"),
        ),
    ),
    Operation(
        "bulkDeleteRooms",
        "DELETE",
        "/api/v1/rooms",
        "KAM",
        200,
        rights={"manager": 400},
        query={"roomIds": "{room},{other}"},
        situations=(
            Situation(
                "no id at all",
                Stage.VALIDATION,
                422,
                query={"roomIds": " ,$"},
                error="At least one valid roomId is required after sanitization",
            ),
            Situation("one that is recorded", Stage.STATE, 400, recorded),
            Situation("one that does not exist", Stage.STATE, 400, query={"roomIds": "{room}," + NO_ROOM}),
            failing("deleting rooms"),
        ),
    ),
    Operation(
        "getRoom",
        "GET",
        "/api/v1/rooms/{room}",
        "KRAMB",
        200,
        rights=STRANGERS,
        situations=(
            too_long("/api/v1/rooms/{room}"),
            missing("/api/v1/rooms/{room}"),
            failing("getting room '{room}'"),
        ),
    ),
    Operation(
        "deleteRoom",
        "DELETE",
        "/api/v1/rooms/{room}",
        "KAM",
        200,
        rights=UNRELATED,
        situations=(
            too_long("/api/v1/rooms/{room}"),
            Situation("an unknown policy", Stage.VALIDATION, 422, query={"withMeeting": "maybe"}),
            missing("/api/v1/rooms/{room}"),
            Situation(
                "a meeting",
                Stage.STATE,
                409,
                meeting,
                error="Room '{room}' cannot be deleted because it has an active meeting.",
            ),
            Situation(
                "recordings",
                Stage.STATE,
                409,
                recorded,
                error="Room '{room}' cannot be deleted because it has recordings.",
            ),
            Situation("a patient deletion", Stage.STATE, 202, meeting, query={"withMeeting": "when_meeting_ends"}),
            Situation("a forced deletion", Stage.STATE, 200, meeting, query={"withMeeting": "force"}),
            Situation("closing instead", Stage.STATE, 200, recorded, query={"withRecordings": "close"}),
            Situation(
                "a deferred closing",
                Stage.STATE,
                202,
                recorded_meeting,
                query={"withMeeting": "when_meeting_ends", "withRecordings": "close"},
            ),
            Situation(
                "a media server that is away",
                Stage.STATE,
                503,
                unreachable_meeting,
                query={"withMeeting": "force"},
                error="LiveKit is not available",
            ),
            failing("deleting room '{room}'"),
        ),
    ),
    Operation(
        "getRoomConfig",
        "GET",
        "/api/v1/rooms/{room}/config",
        "KRAMB",
        200,
        rights=STRANGERS,
        situations=(
            too_long("/api/v1/rooms/{room}/config"),
            missing("/api/v1/rooms/{room}/config"),
            failing("getting room config for room '{room}'"),
        ),
    ),
    update(
        "updateRoomConfig",
        "config",
        {"chat": {"enabled": False}},
        {"recording": {"layout": "grid"}},
        "updating room config",
        BUSY,
        OLD,
    ),
    update(
        "updateRoomStatus",
        "status",
        "closed",
        "active_meeting",
        "updating room status",
        Situation("a meeting", Stage.STATE, 202, meeting),
        Situation("a closed room", Stage.STATE, 200, closing),
        OLD,
    ),
    update(
        "updateRoomRoles",
        "roles",
        {"speaker": {"permissions": {"canRecord": True}}},
        {"speaker": {}},
        "updating roles permissions",
        BUSY,
        OLD,
    ),
    update(
        "updateRoomAccess",
        "access",
        {"anonymous": {"speaker": {"enabled": False}}},
        {"user": {"enabled": "yes"}},
        "updating access config",
        BUSY,
        OLD,
    ),
]
