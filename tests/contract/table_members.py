"""Room members: contract 2.3."""

from __future__ import annotations

from .people import guest, person, person_and_member
from .table import MALFORMED, TOO_LARGE, Operation, Situation, Stage, outdated
from .table_rooms import NO_ROOM, UNRELATED, failing, too_long
from .table_rooms import missing as no_room

MEMBERS = "/api/v1/rooms/{room}/members"
MEMBER = f"{MEMBERS}/{{someone}}"
NOBODY = f"{MEMBERS}/guest-0000000000"
STRANGERS = {**UNRELATED, **dict.fromkeys(("moderator", "moderator by query", "speaker", "powerless"), 403)}
STRANGERS["moderator elsewhere"] = 403
EITHER = "Either userId or name must be provided, but not both"


def elsewhere(path: str) -> Situation:
    """Like `missing` of rooms, for a path with a member in it."""
    return Situation(
        "no such room",
        Stage.EXISTENCE,
        404,
        path=path.replace("{room}", NO_ROOM),
        error=f"Room '{NO_ROOM}' does not exist",
    )


def nobody(stage: Stage) -> Situation:
    return Situation(
        "no such member",
        stage,
        404,
        path=NOBODY,
        error="Room member 'guest-0000000000' not found in room '{room}'",
    )


OPERATIONS = [
    Operation(
        "createRoomMember",
        "POST",
        MEMBERS,
        "KAM",
        201,
        rights=UNRELATED,
        body={"name": "Ana", "baseRole": "speaker", "customPermissions": {"canRecord": True}},
        situations=(
            MALFORMED,
            TOO_LARGE,
            Situation("no role", Stage.VALIDATION, 422, body={"name": "Ana"}, error="Required"),
            Situation("nobody in particular", Stage.VALIDATION, 422, body={"baseRole": "speaker"}, error=EITHER),
            Situation(
                "two at once",
                Stage.VALIDATION,
                422,
                body={"userId": "alice", "name": "Ana", "baseRole": "speaker"},
                error=EITHER,
            ),
            Situation(
                "an empty name",
                Stage.VALIDATION,
                422,
                body={"name": "", "baseRole": "speaker"},
                error="name cannot be empty",
            ),
            Situation(
                "an impossible user",
                Stage.VALIDATION,
                422,
                body={"userId": "A!", "baseRole": "speaker"},
                error="userId must contain only lowercase letters, numbers, and underscores",
            ),
            too_long(MEMBERS),
            no_room(MEMBERS),
            Situation("a user", Stage.STATE, 201, person, body={"userId": "{person}", "baseRole": "moderator"}),
            Situation(
                "an unknown user",
                Stage.STATE,
                404,
                body={"userId": "ghost", "baseRole": "speaker"},
                error="User 'ghost' not found",
            ),
            Situation(
                "a member",
                Stage.STATE,
                409,
                person_and_member,
                body={"userId": "{person}", "baseRole": "speaker"},
                error="User '{person}' is already a member of room '{room}'",
            ),
            Situation(
                "the owner",
                Stage.STATE,
                409,
                body={"userId": "admin", "baseRole": "speaker"},
                error="User 'admin' cannot be added as a member of room '{room}' because they are the room owner or an "
                "admin",
            ),
            failing("adding member in room '{room}'"),
        ),
    ),
    Operation(
        "getRoomMembers",
        "GET",
        MEMBERS,
        "KAM",
        200,
        rights=UNRELATED,
        prepare=guest,
        query={"extraFields": "effectivePermissions", "type": "identified_guest"},
        situations=(
            Situation("an unknown type", Stage.VALIDATION, 422, query={"type": "alien"}),
            too_long(MEMBERS),
            no_room(MEMBERS),
            Situation("a cursor of somebody else", Stage.STATE, 422, query={"nextPageToken": "%%%"}),
            failing("getting members for room '{room}'"),
        ),
    ),
    Operation(
        "bulkDeleteRoomMembers",
        "DELETE",
        MEMBERS,
        "KAM",
        200,
        rights=UNRELATED,
        prepare=guest,
        query={"memberIds": "{someone}"},
        situations=(
            Situation(
                "no ids", Stage.VALIDATION, 422, query={"memberIds": ","}, error="At least one memberId is required"
            ),
            too_long(MEMBERS),
            no_room(MEMBERS),
            Situation("one that is not there", Stage.STATE, 400, query={"memberIds": "{someone},ghost"}),
            failing("bulk deleting members from room '{room}'"),
        ),
    ),
    Operation(
        "getRoomMember",
        "GET",
        MEMBER,
        "KRAM",
        200,
        rights=STRANGERS,
        prepare=guest,
        situations=(
            too_long(NOBODY),
            elsewhere(NOBODY),
            nobody(Stage.EXISTENCE),
            failing("getting member '{someone}' from room '{room}'"),
        ),
    ),
    Operation(
        "updateRoomMember",
        "PUT",
        MEMBER,
        "KAM",
        200,
        rights=UNRELATED,
        prepare=guest,
        body={"baseRole": "moderator", "customPermissions": {"canEndMeeting": False}},
        situations=(
            MALFORMED,
            TOO_LARGE,
            Situation("an unknown role", Stage.VALIDATION, 422, body={"baseRole": "king"}),
            Situation(
                "a permission that is no flag",
                Stage.VALIDATION,
                422,
                body={"customPermissions": {"canRecord": "yes"}},
                error="Expected boolean, received string",
            ),
            too_long(NOBODY),
            elsewhere(NOBODY),
            nobody(Stage.STATE),
            outdated("Room member '{someone}' of room '{room}' has been changed"),
            failing("updating member '{someone}' in room '{room}'"),
        ),
    ),
    Operation(
        "deleteRoomMember",
        "DELETE",
        MEMBER,
        "KAM",
        200,
        rights=UNRELATED,
        prepare=guest,
        situations=(
            too_long(NOBODY),
            elsewhere(NOBODY),
            nobody(Stage.STATE),
            failing("deleting member '{someone}' from room '{room}'"),
        ),
    ),
]
