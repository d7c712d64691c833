"""What the handlers call: put together by the composition root, reached as `call.services`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, cast

from meet.core.analytics import Analytics
from meet.core.api_keys import ApiKeyService
from meet.core.assistants import AssistantService
from meet.core.auth import AuthService
from meet.core.global_settings import GlobalSettings
from meet.core.meetings import MeetingService
from meet.core.members import MemberService
from meet.core.permission_names import Spelling
from meet.core.recording_extras import RecordingExtras
from meet.core.recordings import RecordingService
from meet.core.rooms import RoomService
from meet.core.sharing import SharingService
from meet.core.tokens import TokenService
from meet.core.users import UserService
from meet.core.webhooks import WebhookService
from meet.http import Call
from meet.stores.reading import RecordingFiles

from .public_url import PublicUrl


class MediaServerInbox(Protocol):
    """Takes what the media server posts."""

    async def deliver(self, body: bytes, authorization: str | None) -> None:
        """Verify the signature over the untouched `body`, then act on the event. May raise anything."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """`media_url` turns a request's base URL (`https://host/meet`) into the media server's URL for that client
    (`wss://..`); `public` remembers base URLs for links outside of requests. `spelling` writes permissions as MEET_MODE
    says. `files` finds those of recordings; `store_name` is how errors call the blob store (`S3`, `Storage`)."""

    auth: AuthService
    rooms: RoomService
    recordings: RecordingService
    recording_extras: RecordingExtras
    sharing: SharingService
    tokens: TokenService
    meetings: MeetingService
    assistants: AssistantService
    users: UserService
    members: MemberService
    api_keys: ApiKeyService
    global_settings: GlobalSettings
    analytics: Analytics
    webhooks: WebhookService
    inbox: MediaServerInbox
    files: RecordingFiles
    media_url: Callable[[str], str]
    public: PublicUrl
    spelling: Spelling = field(default_factory=Spelling)
    captions_enabled: bool = False
    store_name: str = "Storage"


def services(call: Call) -> Services:
    """The services of a request, typed."""
    return cast(Services, call.services)
