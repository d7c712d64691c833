"""What the client library raises, in the domain's words."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Final

import aiohttp
from google.protobuf.message import DecodeError
from livekit import api

from meet.core.errors import EgressNotActive, EgressNotFound, MediaServerError, MediaServerUnavailable, ValidationFailed
from meet.core.recording_errors import RecordingRefused

_GATEWAY_STATUSES: Final = frozenset({502, 503, 504})
_GONE: Final = frozenset({api.ServerErrorCode.UNKNOWN, api.ServerErrorCode.UNAVAILABLE})


@contextlib.contextmanager
def calling(operation: str) -> Iterator[None]:
    """Turn whatever the client library raises into the domain's errors."""
    try:
        yield
    except api.ServerError as error:
        # A proxy in front of a restarting server answers without a Twirp code, our own front with that of the protocol.
        gone = error.status in _GATEWAY_STATUSES and error.code in _GONE
        failure = MediaServerUnavailable if gone else MediaServerError
        raise failure(operation, f"{error.code}: {error.message}") from error
    except (aiohttp.ClientConnectionError, TimeoutError) as error:
        raise MediaServerUnavailable(operation, type(error).__name__) from error
    except (aiohttp.ClientError, DecodeError) as error:
        raise MediaServerError(operation, type(error).__name__) from error


@contextlib.contextmanager
def of_egress(egress_id: str) -> Iterator[None]:
    """Within `calling`, where the egress must exist and run. Raises EgressNotFound, EgressNotActive."""
    try:
        yield
    except api.ServerError as error:
        if error.code == api.ServerErrorCode.NOT_FOUND:
            raise EgressNotFound(egress_id) from error
        if error.code == api.ServerErrorCode.FAILED_PRECONDITION:
            raise EgressNotActive(egress_id) from error
        raise


@contextlib.contextmanager
def starting(room: str) -> Iterator[None]:
    """The same for the start of a recording. Raises RecordingRefused where the machine has no room for it, and
    ValidationFailed for an encoding that the contract allows and the recorder cannot make."""
    operation = f"starting Room Composite Egress for room '{room}'"
    with calling(operation):
        try:
            yield
        except api.ServerError as error:
            if error.code == api.ServerErrorCode.RESOURCE_EXHAUSTED:
                raise RecordingRefused(room, error.message) from error
            if error.code == api.ServerErrorCode.INVALID_ARGUMENT:
                raise ValidationFailed.one("config.encoding", error.message) from error
            if error.code == api.ServerErrorCode.UNAVAILABLE:  # the server is there, its recorder could not be started
                raise MediaServerError(operation, f"{error.code}: {error.message}") from error
            raise
