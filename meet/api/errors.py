"""Errors of the domain and of the blob store as HTTP answers (contract Appendix A)."""

from __future__ import annotations

import structlog

from meet.core import errors as domain
from meet.core.meeting_errors import CaptionsUnavailable, UnreadableParticipant
from meet.http import Call, HttpError, Issue, ValidationFailed
from storage import StorageMisconfigured, StorageUnavailable

from .services import services

_log = structlog.get_logger(__name__)

STATUS: dict[type[domain.MeetError], int] = {
    domain.BadRequest: 400,
    domain.Unauthenticated: 401,
    domain.Forbidden: 403,
    domain.NotFound: 404,
    domain.Conflict: 409,
    domain.Unavailable: 503,
    domain.MediaServerUnavailable: 503,
    domain.MediaServerError: 500,
    CaptionsUnavailable: 500,
    UnreadableParticipant: 500,
}
"""Status of each branch of the tree; the nearest ancestor listed counts."""


def to_http(error: Exception, call: Call) -> HttpError | None:
    """The answer for an error, None when it is nobody's (then it is a bug, and a 500)."""
    if isinstance(error, domain.ValidationFailed):
        return ValidationFailed([Issue((issue.field,) if issue.field else (), issue.message) for issue in error.issues])
    if isinstance(error, domain.RoomDeletionRefused):
        return HttpError(409, error.code, error.message)
    if isinstance(error, domain.MediaServerUnavailable):
        _log.warning("media_server_unavailable", operation=error.operation, detail=error.detail)
        return HttpError(503, "LiveKit Error", "LiveKit is not available")
    if isinstance(error, domain.MeetError):
        if isinstance(error, domain.MediaServerError):
            _log.error("media_server_failed", operation=error.operation, detail=error.detail)
        elif isinstance(error, domain.DatabaseUnavailable):
            _log.error("database_unavailable", operation=call.operation_id, reason=error.reason)
        status = next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 500)
        return HttpError(status, error.title, error.message)
    if isinstance(error, StorageUnavailable | StorageMisconfigured):
        name = services(call).store_name
        _log.error("blob_store_failed", operation=call.operation_id, error=type(error).__name__, detail=str(error))
        return HttpError(503, f"{name} Error", f"{name} is not available")
    return None
