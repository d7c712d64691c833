"""A typed client for the REST API: `Client` blocks, `AsyncClient` is awaited; all else is the same.

    from meet.client import Client

    with Client("http://localhost:6080", api_key=key) as client:
        room = client.rooms.create("Standup")
        for recording in client.recordings.iterate(status="complete"):
            client.recordings.download(recording.recording_id, recording.filename)

Answers are models with the API's names in snake case. Exceptions:

    MeetError
    ├── ApiError                 the server answered: .status .error .message .details .retry_after
    │   ├── InvalidRequest         400, 413, 416, 422 (.details: the broken rules)
    │   ├── AuthenticationFailed   401
    │   ├── PermissionDenied       403
    │   ├── NotFound               404, and a failed login
    │   ├── Conflict               409
    │   ├── RateLimited            429
    │   └── ServerError            5xx
    ├── ConnectionFailed         no complete answer came
    │   └── TimedOut
    ├── DownloadFailed           what came is not the file that was promised
    └── UnexpectedAnswer         what answered does not speak this API

Inside: `resources` writes down each operation once, as a flow that does no input and output (`flow`, `download`);
`operation` turns it into a function or a coroutine function, `runner` sends and waits. `models` are the answers,
`inputs` the parts of requests. Nothing of the server is imported: only httpx and pydantic.
"""

from meet.client.client import AsyncClient, Client
from meet.client.errors import (
    ApiError,
    AuthenticationFailed,
    Conflict,
    ConnectionFailed,
    Detail,
    DownloadFailed,
    InvalidRequest,
    MeetError,
    NotFound,
    PermissionDenied,
    RateLimited,
    ServerError,
    TimedOut,
    UnexpectedAnswer,
)
from meet.client.flow import Retry
from meet.client.models.administration import Analytics, ApiKey, Tokens, WebhookConfig
from meet.client.models.base import Page
from meet.client.models.members import Member
from meet.client.models.recordings import KnownRecording, Recording
from meet.client.models.rooms import Room, RoomConfig
from meet.client.models.users import User
from meet.client.models.webhooks import Delivery

__all__ = [
    "Analytics",
    "ApiError",
    "ApiKey",
    "AsyncClient",
    "AuthenticationFailed",
    "Client",
    "Conflict",
    "ConnectionFailed",
    "Delivery",
    "Detail",
    "DownloadFailed",
    "InvalidRequest",
    "KnownRecording",
    "MeetError",
    "Member",
    "NotFound",
    "Page",
    "PermissionDenied",
    "RateLimited",
    "Recording",
    "Retry",
    "Room",
    "RoomConfig",
    "ServerError",
    "TimedOut",
    "Tokens",
    "UnexpectedAnswer",
    "User",
    "WebhookConfig",
]
