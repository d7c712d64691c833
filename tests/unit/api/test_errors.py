"""Every error of the domain has a status, a name and a text."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest

from meet.api.errors import STATUS, to_http
from meet.core import errors as domain
from meet.core.recording_errors import RecordingStartTimeout
from meet.http import Call, ValidationFailed
from storage import BlobNotFound, StorageMisconfigured, StorageUnavailable

CALL = cast(Call, SimpleNamespace(operation_id="getRecordingMedia", services=SimpleNamespace(store_name="S3")))


@pytest.mark.parametrize(
    ("error", "status", "name", "message"),
    [
        (domain.UnknownRoomSecret("r", "s"), 400, "Room Error", "Secret 's' is not recognized for room 'r'"),
        (domain.Unauthorized(), 401, "Authentication Error", "Unauthorized"),
        (domain.RecordingDisabled("r"), 403, "Recording Error", "Recording is disabled for room 'r'"),
        (domain.InvalidCredentials(), 404, "Login Error", "Invalid user ID or password"),
        (domain.RecordingNotStopped("x"), 409, "Recording Error", "Recording 'x' is not stopped yet"),
        (domain.RoomDeletionRefused("r", "room_has_recordings", " no."), 409, "room_has_recordings", "Room 'r' no."),
        (RecordingStartTimeout("r"), 503, "Recording Error", "Recording in room 'r' timed out while starting"),
        (
            domain.DatabaseUnavailable("its disk is full"),
            503,
            "Database Error",
            "The database is not available: its disk is full",
        ),
        (domain.MediaServerUnavailable("x", "refused"), 503, "LiveKit Error", "LiveKit is not available"),
        (domain.MediaServerError("creating LiveKit room", "secret detail"), 500, "Internal Server Error",
         "Unexpected error while creating LiveKit room"),
        (StorageUnavailable("no route to 10.0.0.1"), 503, "S3 Error", "S3 is not available"),
        (StorageMisconfigured("bucket"), 503, "S3 Error", "S3 is not available"),
    ],
)  # fmt: skip
def test_errors_become_answers(error: Exception, status: int, name: str, message: str) -> None:
    answer = to_http(error, CALL)
    assert answer is not None
    assert (answer.status, answer.error, answer.message) == (status, name, message)


def test_every_branch_of_the_tree_has_a_status() -> None:
    branches = set(domain.MeetError.__subclasses__()) - {domain.ValidationFailed}
    assert branches <= set(STATUS)


def test_findings_of_the_domain_become_details() -> None:
    answer = to_http(domain.ValidationFailed.one("roomName", "Invalid regular expression pattern"), CALL)
    assert isinstance(answer, ValidationFailed)
    assert answer.extra == {"details": [{"field": "roomName", "message": "Invalid regular expression pattern"}]}


@pytest.mark.parametrize("error", [RuntimeError("a bug"), BlobNotFound("key")])
def test_other_exceptions_are_left_to_the_runtime(error: Exception) -> None:
    assert to_http(error, CALL) is None
