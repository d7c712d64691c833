"""Recordings: contract 2.4 and 4."""

from __future__ import annotations

from dataclasses import replace

from meet.core.model.recording import RecordingStatus

from .table import MALFORMED, TOO_LARGE, Operation, Situation, Stage
from .table_rooms import NO_ROOM, STRANGERS, failing, meeting
from .world import GONE, UNREACHABLE, Scene

NO_RECORDING = "daily-000000000000000--EG_none--0123456789"
READERS = {**STRANGERS, "powerless": 403}
WRITERS = {**READERS, "speaker": 403}
SECRETS = {"private secret": 401, "unknown secret": 400}


async def recording_is_off(scene: Scene) -> None:
    await scene.meet()
    config = scene.room.config
    off = {**config, "recording": {**config["recording"], "enabled": False}}
    await scene.change_room(lambda room: replace(room, config=off))  # type: ignore[arg-type]


async def everybody_left(scene: Scene) -> None:
    del scene.world.media.rooms[scene.room.room_id]


async def being_recorded(scene: Scene) -> None:
    await scene.meet()
    await scene.add_recording("active")


async def dying_recorder(scene: Scene) -> None:
    """To the caller the same as one that is too slow, only sooner."""
    await scene.meet()
    scene.world.media.egress_begins_as = "failed"


async def failing_recorder(scene: Scene) -> None:
    await scene.meet()
    scene.world.media.failure = f"starting Room Composite Egress for room '{scene.room.room_id}'"


async def media_server_away(scene: Scene) -> None:
    scene.world.media.reachable = False


async def links_are_off(scene: Scene) -> None:
    access = scene.room.access
    anonymous = access["anonymous"]
    off = {**access, "anonymous": {**anonymous, "recording": {**anonymous["recording"], "enabled": False}}}
    await scene.change_room(lambda room: replace(room, access=off))  # type: ignore[arg-type]


async def recordings_broken(scene: Scene) -> None:
    scene.world.data[1].broken = GONE


async def store_away(scene: Scene) -> None:
    scene.world.blobs.broken = UNREACHABLE


async def file_lost(scene: Scene) -> None:
    await scene.add_recording(media=False)


def now(status: RecordingStatus) -> Situation:
    """The operation on a recording in this status is a conflict."""
    return Situation(f"a recording that is {status}", Stage.STATE, 409, recording=status)


def missing(path: str) -> Situation:
    return Situation(
        "no such recording",
        Stage.EXISTENCE,
        404,
        path=path.replace("{recording}", NO_RECORDING),
        error=f"Recording '{NO_RECORDING}' not found",
    )


def impossible(path: str) -> Situation:
    return Situation(
        "an impossible id",
        Stage.VALIDATION,
        422,
        path=path.replace("{recording}", "daily--EG_--1"),
        error="recordingId does not follow the expected format",
    )


NO_IDS = Situation(
    "no ids", Stage.VALIDATION, 422, query={"recordingIds": " , "}, error="At least one recordingId is required"
)
BAD_ID = Situation("an impossible id", Stage.VALIDATION, 422, query={"recordingIds": "{recording},x"})
ITEM = "/api/v1/recordings/{recording}"


CONDITIONAL = (
    Situation("what the client has", Stage.STATE, 304, headers={"If-None-Match": "*"}),
    Situation(
        "another file than was wanted",
        Stage.STATE,
        412,
        headers={"If-Match": '"other"'},
        error="Recording '{recording}' is not what the preconditions name",
    ),
)


def of_the_bytes(name: str, path: str, words: str) -> Operation:
    """An operation that answers with the file, or a range of it."""
    return Operation(
        name,
        "GET",
        path,
        "KRAMBS",
        200,
        rights={**READERS, **SECRETS},
        recording="complete",
        validate_first=True,
        situations=(
            Situation("a range", Stage.STATE, 206, headers={"Range": "bytes=100-199"}),
            Situation("several ranges", Stage.STATE, 200, headers={"Range": "bytes=0-1,4-5"}),
            *CONDITIONAL,
            Situation(
                "a range behind the end",
                Stage.STATE,
                416,
                headers={"Range": "bytes=12800-"},
                error="Recording '{recording}' range not satisfiable. File size: 12800",
            ),
            impossible(path),
            missing(path),
            now("active"),
            now("failed"),
            Situation(
                "a lost file",
                Stage.STATE,
                500,
                file_lost,
                error=f"Unexpected error while {words} recording '{{recording}}'",
            ),
            Situation("a store that is away", Stage.STATE, 503, store_away, error="Storage is not available"),
            failing(f"{words} recording '{{recording}}'"),
        ),
    )


OPERATIONS = [
    Operation(
        "startRecording",
        "POST",
        "/api/v1/recordings",
        "KR",
        201,
        rights=WRITERS,
        body={"roomId": "{room}", "config": {"layout": "speaker"}},
        prepare=meeting,
        situations=(
            MALFORMED,
            TOO_LARGE,
            Situation("no room", Stage.VALIDATION, 422, body={}, error="Required"),
            Situation(
                "an unknown layout",
                Stage.VALIDATION,
                422,
                body={"roomId": "{room}", "config": {"layout": "pyramid"}},
                error="Invalid enum value. Expected 'grid' | 'speaker' | 'single-speaker', received 'pyramid'",
            ),
            Situation(
                "no such room",
                Stage.EXISTENCE,
                404,
                body={"roomId": NO_ROOM},
                error=f"Room '{NO_ROOM}' does not exist",
            ),
            Situation(
                "recording switched off",
                Stage.EXISTENCE,
                403,
                recording_is_off,
                error="Recording is disabled for room '{room}'",
            ),
            Situation(
                "nobody there",
                Stage.STATE,
                409,
                everybody_left,
                error="Room '{room}' has no participants",
            ),
            Situation(
                "a recording under way",
                Stage.STATE,
                409,
                being_recorded,
                error="Room '{room}' is already being recorded",
            ),
            Situation(
                "a recorder that does not begin",
                Stage.STATE,
                503,
                dying_recorder,
                error="Recording in room '{room}' timed out while starting",
            ),
            Situation(
                "a recorder that fails",
                Stage.STATE,
                500,
                failing_recorder,
                error="Unexpected error while starting Room Composite Egress for room '{room}'",
            ),
            Situation(
                "the database is gone",
                Stage.STATE,
                500,
                recordings_broken,
                error="Unexpected error while starting recording in room '{room}'",
            ),
        ),
    ),
    Operation(
        "getRecordings",
        "GET",
        "/api/v1/recordings",
        "KRAMB",
        200,
        rights={"powerless": 403},
        query={"maxItems": "1"},
        recording="complete",
        situations=(
            Situation(
                "text for a number",
                Stage.VALIDATION,
                422,
                query={"maxItems": "many"},
                error="Expected number, received nan",
            ),
            Situation("an unknown status", Stage.VALIDATION, 422, query={"status": "done"}),
            Situation("a long room id", Stage.VALIDATION, 422, query={"roomId": "r" * 101}),
            failing("getting recordings"),
        ),
    ),
    Operation(
        "bulkDeleteRecordings",
        "DELETE",
        "/api/v1/recordings",
        "KRAMB",
        200,
        rights=dict.fromkeys(WRITERS, 400),
        query={"recordingIds": "{recording}"},
        recording="complete",
        situations=(
            NO_IDS,
            BAD_ID,
            Situation("one that is missing", Stage.STATE, 400, query={"recordingIds": "{recording}," + NO_RECORDING}),
            failing("deleting recordings"),
        ),
    ),
    Operation(
        "downloadRecordings",
        "GET",
        "/api/v1/recordings/download",
        "KRAMB",
        200,
        rights=dict.fromkeys(READERS, 400),
        query={"recordingIds": "{recording}"},
        recording="complete",
        situations=(
            NO_IDS,
            BAD_ID,
            Situation(
                "none that exists",
                Stage.STATE,
                400,
                query={"recordingIds": NO_RECORDING},
                error="None of the provided recordings are available for ZIP download",
            ),
            Situation("a store that is away", Stage.STATE, 503, store_away, error="Storage is not available"),
            failing("downloading recordings ZIP"),
        ),
    ),
    Operation(
        "getRecording",
        "GET",
        ITEM,
        "KRAMBS",
        200,
        rights={**READERS, **SECRETS},
        recording="complete",
        validate_first=True,
        situations=(impossible(ITEM), missing(ITEM), failing("getting recording '{recording}'")),
    ),
    Operation(
        "deleteRecording",
        "DELETE",
        ITEM,
        "KRAMB",
        200,
        rights=WRITERS,
        recording="complete",
        situations=(
            impossible(ITEM),
            missing(ITEM),
            now("starting"),
            now("active"),
            now("ending"),
            Situation("a store that is away", Stage.STATE, 503, store_away, error="Storage is not available"),
            failing("deleting recording '{recording}'"),
        ),
    ),
    of_the_bytes("getRecordingMedia", f"{ITEM}/media", "streaming"),
    of_the_bytes("downloadRecording", f"{ITEM}/download", "downloading"),
    Operation(
        "stopRecording",
        "POST",
        f"{ITEM}/stop",
        "KR",
        202,
        rights=WRITERS,
        recording="active",
        situations=(
            impossible(f"{ITEM}/stop"),
            missing(f"{ITEM}/stop"),
            now("starting"),
            now("ending"),
            now("complete"),
            Situation(
                "a media server that is away",
                Stage.STATE,
                503,
                media_server_away,
                error="LiveKit is not available",
            ),
            failing("stopping recording '{recording}'"),
        ),
    ),
    Operation(
        "getRecordingUrl",
        "GET",
        f"{ITEM}/url",
        "KRAMB",
        200,
        rights=READERS,
        recording="complete",
        situations=(
            impossible(f"{ITEM}/url"),
            missing(f"{ITEM}/url"),
            Situation(
                "links switched off",
                Stage.STATE,
                403,
                links_are_off,
                error="Anonymous access in room '{room}' is disabled for recordings",
            ),
            Situation(
                "a private link with links off", Stage.STATE, 200, links_are_off, query={"privateAccess": "True"}
            ),
            failing("getting URL for recording '{recording}'"),
        ),
    ),
]
