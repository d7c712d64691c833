"""Recordings beyond the dialect: composing later, pausing, and what was measured of a file."""

from __future__ import annotations

from .table import MALFORMED, TOO_LARGE, Operation, Situation, Stage
from .table_recordings import (
    READERS,
    WRITERS,
    being_recorded,
    impossible,
    media_server_away,
    missing,
    now,
    recording_is_off,
    recordings_broken,
)
from .table_rooms import NO_ROOM, failing, meeting
from .world import Scene

EXTRA = "/api/extra/v1/recordings"
ITEM = f"{EXTRA}/{{recording}}"


async def foreign(scene: Scene) -> None:
    """The media server is somebody else's."""
    scene.world.recorder.missing = True


async def silent(scene: Scene) -> None:
    scene.world.recorder.silent = True


AWAY = Situation("a media server that is away", Stage.STATE, 503, media_server_away, error="LiveKit is not available")


def of_pausing(operation_id: str, word: str, done: str, words: str) -> Operation:
    path = f"{ITEM}/{word}"
    return Operation(
        operation_id,
        "POST",
        path,
        "KRAMB",
        200,
        rights=WRITERS,
        recording="active",
        situations=(
            impossible(path),
            missing(path),
            Situation(
                "one that starts",
                Stage.STATE,
                409,
                recording="starting",
                error="Recording '{recording}' is not active yet",
            ),
            Situation(
                "one that ends",
                Stage.STATE,
                409,
                recording="ending",
                error="Recording '{recording}' is already stopped",
            ),
            now("complete"),
            now("aborted"),
            Situation(
                "another media server",
                Stage.STATE,
                503,
                foreign,
                error="The media server in use cannot pause recordings",
            ),
            Situation(
                "a recorder that does not answer",
                Stage.STATE,
                503,
                silent,
                error=f"Recording '{{recording}}' is {done} as soon as its recorder answers",
            ),
            AWAY,
            failing(f"{words} recording '{{recording}}'"),
        ),
    )


OPERATIONS = [
    Operation(
        "startComposedRecording",
        "POST",
        EXTRA,
        "KR",
        201,
        rights=WRITERS,
        body={"roomId": "{room}", "config": {"layout": "speaker"}, "compose": "after"},
        prepare=meeting,
        situations=(
            MALFORMED,
            TOO_LARGE,
            Situation("as the server is configured", Stage.STATE, 201, body={"roomId": "{room}"}),
            Situation("sound alone", Stage.STATE, 201, body={"roomId": "{room}", "audioOnly": True}),
            Situation(
                "neither yes nor no",
                Stage.VALIDATION,
                422,
                body={"roomId": "{room}", "audioOnly": "yes"},
                error="Expected boolean, received string",
            ),
            Situation("no room", Stage.VALIDATION, 422, body={"compose": "live"}, error="Required"),
            Situation(
                "an unknown way",
                Stage.VALIDATION,
                422,
                body={"roomId": "{room}", "compose": "later"},
                error="Invalid enum value. Expected 'live' | 'after', received 'later'",
            ),
            Situation(
                "no such room",
                Stage.EXISTENCE,
                404,
                body={"roomId": NO_ROOM, "compose": "after"},
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
                "a recording under way",
                Stage.STATE,
                409,
                being_recorded,
                error="Room '{room}' is already being recorded",
            ),
            Situation(
                "another media server",
                Stage.STATE,
                503,
                foreign,
                error="The media server in use cannot choose when to compose a recording",
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
        "inspectRecording",
        "GET",
        ITEM,
        "KRAMB",
        200,
        rights=READERS,
        recording="complete",
        situations=(
            impossible(ITEM),
            missing(ITEM),
            Situation("one that runs", Stage.STATE, 200, recording="active"),
            Situation("one of another media server", Stage.STATE, 200, foreign, recording="active"),
            Situation(
                "a media server that is away",
                Stage.STATE,
                503,
                media_server_away,
                recording="active",
                error="LiveKit is not available",
            ),
            failing("inspecting recording '{recording}'"),
        ),
    ),
    Operation(
        "setRecordingLayout",
        "PUT",
        f"{ITEM}/layout",
        "KRAMB",
        200,
        rights=WRITERS,
        recording="active",
        body={"layout": "speaker"},
        situations=(
            MALFORMED,
            TOO_LARGE,
            impossible(f"{ITEM}/layout"),
            missing(f"{ITEM}/layout"),
            Situation("no layout", Stage.VALIDATION, 422, body={}, error="Required"),
            Situation(
                "an unknown layout",
                Stage.VALIDATION,
                422,
                body={"layout": "pyramid"},
                error="Invalid enum value. Expected 'grid' | 'speaker' | 'single-speaker', received 'pyramid'",
            ),
            Situation("one that starts", Stage.STATE, 200, recording="starting"),
            now("ending"),
            now("complete"),
            Situation("another media server", Stage.STATE, 200, foreign),
            AWAY,
            failing("changing the layout of recording '{recording}'"),
        ),
    ),
    of_pausing("pauseRecording", "pause", "paused", "pausing"),
    of_pausing("resumeRecording", "resume", "resumed", "resuming"),
]
