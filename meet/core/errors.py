"""Every error the domain raises: one tree, carrying data; each surface renders it in its own shape.

MeetError                       message: wire text (contract A.1), title: the contract's error name
├── BadRequest                  ParticipantNameRequired, UnknownRoomSecret, UnknownRecordingSecret,
│                               NoRecordingsAvailable, InvalidCurrentPassword, MissingRefreshToken, InvalidRefreshToken
├── Unauthenticated             Unauthorized, InvalidToken, InvalidApiKey, NoApiKeyConfigured
├── Forbidden                   InsufficientPermissions, InvalidTokenSubject, InvalidApiKeySubject,
│                               PasswordChangeRequired, RecordingDisabled, AnonymousAccessDisabled
├── NotFound                    RoomNotFound, RoomMemberNotFound, RecordingNotFound, UserNotFound,
│                               ParticipantNotFound, InvalidCredentials
├── Conflict                    RoomHasActiveMeeting, RoomClosed, RoomDeletionRefused, AlreadyRecording, NoParticipants,
│                               RecordingNotStopped, RecordingAlreadyStopped, RecordingStillStarting,
│                               RecordingNotStreamable
├── ValidationFailed            issues: (field, message) pairs that only the domain can find
├── Unavailable                 DatabaseUnavailable
└── MediaServerError            operation, detail
    ├── MediaServerUnavailable  the media server cannot be reached
    ├── EgressNotFound
    └── EgressNotActive

Branches about one subject stand beside this file: `account_errors`, `edit_errors`, `meeting_errors`,
`recording_errors`, `share_errors`, `webhook_errors`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


class MeetError(Exception):
    """Root of the tree. `message` is for the caller and never holds a secret that they did not send themselves."""

    title: ClassVar[str] = "Internal Server Error"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


# --- what was asked for makes no sense -------------------------------------------------------------------------


class BadRequest(MeetError):
    """The request cannot be served as written."""

    title = "Bad Request"


class ParticipantNameRequired(BadRequest):
    title = "Room Member Error"

    def __init__(self) -> None:
        super().__init__(
            "participantName is required when joining a meeting and it cannot be inferred from member/user context"
        )


class UnknownRoomSecret(BadRequest):
    title = "Room Error"

    def __init__(self, room_id: str, secret: str) -> None:
        super().__init__(f"Secret '{secret}' is not recognized for room '{room_id}'")
        self.room_id = room_id


class UnknownRecordingSecret(BadRequest):
    title = "Recording Error"

    def __init__(self, recording_id: str, secret: str) -> None:
        super().__init__(f"Secret '{secret}' is not recognized for recording '{recording_id}'")
        self.recording_id = recording_id


class NoRecordingsAvailable(BadRequest):
    title = "Recording Error"

    def __init__(self) -> None:
        super().__init__("None of the provided recordings are available for ZIP download")


class InvalidCurrentPassword(BadRequest):
    title = "Change Password Error"

    def __init__(self) -> None:
        super().__init__("Invalid current password")


class MissingRefreshToken(BadRequest):
    title = "Refresh Token Error"

    def __init__(self) -> None:
        super().__init__("No refresh token provided")


class InvalidRefreshToken(BadRequest):
    title = "Refresh Token Error"

    def __init__(self) -> None:
        super().__init__("Invalid refresh token")


# --- who is asking ---------------------------------------------------------------------------------------------


class Unauthenticated(MeetError):
    """No credential, or one that does not hold."""

    title = "Authentication Error"


class Unauthorized(Unauthenticated):
    def __init__(self) -> None:
        super().__init__("Unauthorized")


class InvalidToken(Unauthenticated):
    def __init__(self) -> None:
        super().__init__("Invalid token")


class InvalidApiKey(Unauthenticated):
    def __init__(self) -> None:
        super().__init__("Invalid API key")


class NoApiKeyConfigured(Unauthenticated):
    def __init__(self) -> None:
        super().__init__("There are no API keys configured yet. Please, create one to access the API")


# --- what they may do ------------------------------------------------------------------------------------------


class Forbidden(MeetError):
    """The caller is known and may not do this."""

    title = "Authorization Error"


class InsufficientPermissions(Forbidden):
    def __init__(self) -> None:
        super().__init__("Insufficient permissions to access this resource")


class InvalidTokenSubject(Forbidden):
    def __init__(self) -> None:
        super().__init__("Invalid token subject")


class InvalidApiKeySubject(Forbidden):
    def __init__(self) -> None:
        super().__init__("Invalid API key subject. The user associated with the API key does not exist")


class PasswordChangeRequired(Forbidden):
    def __init__(self) -> None:
        super().__init__("Password change required. Please change your password before accessing other resources.")


class RecordingDisabled(Forbidden):
    title = "Recording Error"

    def __init__(self, room_id: str) -> None:
        super().__init__(f"Recording is disabled for room '{room_id}'")
        self.room_id = room_id


class AnonymousAccessDisabled(Forbidden):
    """`what` is `moderator`, `speaker` or `recordings`."""

    title = "Room Error"

    def __init__(self, room_id: str, what: str) -> None:
        target = "recordings" if what == "recordings" else f"role '{what}'"
        super().__init__(f"Anonymous access in room '{room_id}' is disabled for {target}")
        self.room_id = room_id
        self.what = what


# --- what is not there -----------------------------------------------------------------------------------------


class NotFound(MeetError):
    """The addressed thing does not exist."""


class RoomNotFound(NotFound):
    title = "Room Error"

    def __init__(self, room_id: str) -> None:
        super().__init__(f"Room '{room_id}' does not exist")
        self.room_id = room_id


class RoomMemberNotFound(NotFound):
    title = "Room Member Error"

    def __init__(self, room_id: str, member_id: str) -> None:
        super().__init__(f"Room member '{member_id}' not found in room '{room_id}'")
        self.room_id = room_id


class RecordingNotFound(NotFound):
    title = "Recording Error"

    def __init__(self, recording_id: str) -> None:
        super().__init__(f"Recording '{recording_id}' not found")
        self.recording_id = recording_id


class UserNotFound(NotFound):
    title = "User Error"

    def __init__(self, user_id: str) -> None:
        super().__init__(f"User '{user_id}' not found")
        self.user_id = user_id


class ParticipantNotFound(NotFound):
    title = "Participant Error"

    def __init__(self, room_id: str, identity: str) -> None:
        super().__init__(f"Participant '{identity}' not found in room '{room_id}'")
        self.room_id = room_id
        self.identity = identity


class InvalidCredentials(NotFound):
    """Unknown user and wrong password look the same, and are a 404 on the wire (contract 2.5.1)."""

    title = "Login Error"

    def __init__(self) -> None:
        super().__init__("Invalid user ID or password")


# --- what state forbids it -------------------------------------------------------------------------------------


class Conflict(MeetError):
    """The thing exists but is in the wrong state."""


class RoomHasActiveMeeting(Conflict):
    title = "Room Error"

    def __init__(self, room_id: str) -> None:
        super().__init__(f"Room '{room_id}' has an active meeting")
        self.room_id = room_id


class RoomClosed(Conflict):
    title = "Room Error"

    def __init__(self, room_id: str) -> None:
        super().__init__(f"Room '{room_id}' is closed and cannot be joined")
        self.room_id = room_id


class RoomDeletionRefused(Conflict):
    """A 409 of the deletion table (contract 2.2.3); `code` takes the place of the error name on the wire."""

    def __init__(self, room_id: str, code: str, text: str) -> None:
        super().__init__(f"Room '{room_id}'{text}")
        self.room_id = room_id
        self.code = code


class AlreadyRecording(Conflict):
    title = "Recording Error"

    def __init__(self, room_id: str) -> None:
        super().__init__(f"Room '{room_id}' is already being recorded")
        self.room_id = room_id


class NoParticipants(Conflict):
    title = "Recording Error"

    def __init__(self, room_id: str) -> None:
        super().__init__(f"Room '{room_id}' has no participants")
        self.room_id = room_id


class RecordingConflict(Conflict):
    """A recording is in a status that forbids the operation."""

    title = "Recording Error"
    text: ClassVar[str] = "is in the wrong status"

    def __init__(self, recording_id: str) -> None:
        super().__init__(f"Recording '{recording_id}' {self.text}")
        self.recording_id = recording_id


class RecordingNotStopped(RecordingConflict):
    text = "is not stopped yet"


class RecordingAlreadyStopped(RecordingConflict):
    text = "is already stopped"


class RecordingStillStarting(RecordingConflict):
    text = "cannot be stopped while starting"


class RecordingNotStreamable(RecordingConflict):
    text = "is not streamable"


# --- validation that needs the domain --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Issue:
    """One validation finding; `field` is a dotted path as in contract 2.0.2."""

    field: str
    message: str


class ValidationFailed(MeetError):
    """Input that the documents accept and the domain does not (regex filters, cursors, dates, names)."""

    title = "Unprocessable Entity"

    def __init__(self, issues: Sequence[Issue]) -> None:
        super().__init__("Invalid request")
        self.issues = tuple(issues)

    @classmethod
    def one(cls, field: str, message: str) -> ValidationFailed:
        """A failure with a single issue."""
        return cls([Issue(field, message)])


# --- the outside does not answer -------------------------------------------------------------------------------


class Unavailable(MeetError):
    """Try again later."""


class DatabaseUnavailable(Unavailable):
    """The database takes nothing, and has taken nothing of the write. `reason` says why, in a few words."""

    title = "Database Error"

    def __init__(self, reason: str) -> None:
        super().__init__(f"The database is not available: {reason}")
        self.reason = reason


class MediaServerError(MeetError):
    """A media-server call failed. `operation` is the text of contract A.2; `detail` is for the log only."""

    def __init__(self, operation: str, detail: str = "") -> None:
        super().__init__(f"Unexpected error while {operation}")
        self.operation = operation
        self.detail = detail


class MediaServerUnavailable(MediaServerError):
    """The media server refuses connections, times out or is restarting."""


class EgressNotFound(MediaServerError):
    """The media server does not know this egress."""

    def __init__(self, egress_id: str) -> None:
        super().__init__(f"getting egress '{egress_id}'", "not found")
        self.egress_id = egress_id


class EgressNotActive(MediaServerError):
    """The egress is already ending or over."""

    def __init__(self, egress_id: str) -> None:
        super().__init__(f"stopping egress '{egress_id}'", "not active")
        self.egress_id = egress_id
