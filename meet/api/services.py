"""What the handlers call: put together by the composition root, reached as `call.services`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, cast

from meet.core.auth import AuthService
from meet.core.recordings import RecordingService
from meet.core.rooms import RoomService
from meet.core.tokens import TokenService
from meet.http import Call
from storage import BlobStore


class MediaServerInbox(Protocol):
    """Takes what the media server posts."""

    async def deliver(self, body: bytes, authorization: str | None) -> None:
        """Verify the signature over the untouched `body`, then act on the event. May raise anything."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """`media_url` turns a request's base URL (`https://host/meet`) into the media server's URL for that client
    (`wss://..`). `store_name` is how errors call the blob store (`S3`, `Storage`)."""

    auth: AuthService
    rooms: RoomService
    recordings: RecordingService
    tokens: TokenService
    inbox: MediaServerInbox
    blobs: BlobStore
    media_url: Callable[[str], str]
    captions_enabled: bool = False
    store_name: str = "Storage"


def services(call: Call) -> Services:
    """The services of a request, typed."""
    return cast(Services, call.services)
