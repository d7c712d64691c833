"""The two clients."""

from __future__ import annotations

import ssl
from types import TracebackType
from typing import Self

import httpx

from meet.client.flow import DEFAULT_RETRY, Origin, Retry
from meet.client.models.administration import Tokens
from meet.client.resources import administration as admin
from meet.client.resources.meetings import AsyncMeetings, Meetings
from meet.client.resources.members import AsyncMembers, Members
from meet.client.resources.recordings import AsyncRecordings, Recordings
from meet.client.resources.rooms import AsyncRooms, Rooms
from meet.client.resources.sharing import AsyncSharing, Sharing
from meet.client.resources.users import AsyncUsers, Users
from meet.client.resources.webhooks import AsyncWebhooks, Webhooks
from meet.client.runner import AsyncRunner, SyncRunner


class _Base:
    """What does not depend on how requests are sent."""

    def __init__(
        self,
        url: str,
        *,
        api_key: str | None,
        access_token: str | None,
        room_member_token: str | None,
        timeout: float,
        retry: Retry,
    ) -> None:
        try:
            base = httpx.URL(url)
        except httpx.InvalidURL as error:
            raise ValueError(f"{url!r} is not a URL: {error}") from error
        if base.scheme not in ("http", "https") or not base.host:
            raise ValueError(f"{url!r} is not an http or https URL")
        headers = {"Accept": "application/json, */*;q=0.5", "User-Agent": "meet-client"}
        for name, text in (
            ("X-API-KEY", api_key),
            ("Authorization", access_token and f"Bearer {access_token}"),
            ("X-Room-Member-Token", room_member_token and f"Bearer {room_member_token}"),
        ):
            if text:
                headers[name] = text
        self._origin = Origin(
            url=base.copy_with(query=None, fragment=None),
            timeout=httpx.Timeout(timeout, connect=min(timeout, 10.0)),
            headers=headers,
            retry=retry,
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self._origin.url)!r})"

    def _keep(self, tokens: Tokens) -> Tokens:
        self._origin.headers["Authorization"] = f"Bearer {tokens.access_token}"
        return tokens


class Client(_Base):
    """A server, for programs that block. `with Client(url, api_key=key) as client: ...`

    `url` is the server's address, with the base path if a proxy shows only that (`https://example.com/meet`). Of
    several credentials each operation uses the strongest that it accepts. `timeout` is in seconds, per connection
    attempt and per silence; starting a recording may take 20. `verify` is False to accept any certificate, or a
    context of one's own.
    """

    def __init__(
        self,
        url: str,
        *,
        api_key: str | None = None,
        access_token: str | None = None,
        room_member_token: str | None = None,
        timeout: float = 30.0,
        retry: Retry = DEFAULT_RETRY,
        verify: bool | ssl.SSLContext = True,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        super().__init__(
            url,
            api_key=api_key,
            access_token=access_token,
            room_member_token=room_member_token,
            timeout=timeout,
            retry=retry,
        )
        self._http = httpx.Client(verify=verify, transport=transport)
        runner = SyncRunner(self._http)
        self.users = Users(self._origin, runner)
        self.rooms = Rooms(self._origin, runner)
        self.members = Members(self._origin, runner)
        self.recordings = Recordings(self._origin, runner)
        self.sharing = Sharing(self._origin, runner)
        self.meetings = Meetings(self._origin, runner)
        self.auth = admin.Auth(self._origin, runner)
        self.api_keys = admin.ApiKeys(self._origin, runner)
        self.config = admin.Config(self._origin, runner)
        self.analytics = admin.AnalyticsNumbers(self._origin, runner)
        self.webhooks = Webhooks(self._origin, runner)

    def log_in(self, user_id: str, password: str) -> Tokens:
        """Log in, and use the access token from now on. Raises NotFound when the login is wrong."""
        return self._keep(self.auth.log_in(user_id, password))

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class AsyncClient(_Base):
    """The same server with the same operations, awaited. `async with AsyncClient(url, api_key=key) as client: ...`"""

    def __init__(
        self,
        url: str,
        *,
        api_key: str | None = None,
        access_token: str | None = None,
        room_member_token: str | None = None,
        timeout: float = 30.0,
        retry: Retry = DEFAULT_RETRY,
        verify: bool | ssl.SSLContext = True,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        super().__init__(
            url,
            api_key=api_key,
            access_token=access_token,
            room_member_token=room_member_token,
            timeout=timeout,
            retry=retry,
        )
        self._http = httpx.AsyncClient(verify=verify, transport=transport)
        runner = AsyncRunner(self._http)
        self.users = AsyncUsers(self._origin, runner)
        self.rooms = AsyncRooms(self._origin, runner)
        self.members = AsyncMembers(self._origin, runner)
        self.recordings = AsyncRecordings(self._origin, runner)
        self.sharing = AsyncSharing(self._origin, runner)
        self.meetings = AsyncMeetings(self._origin, runner)
        self.auth = admin.AsyncAuth(self._origin, runner)
        self.api_keys = admin.AsyncApiKeys(self._origin, runner)
        self.config = admin.AsyncConfig(self._origin, runner)
        self.analytics = admin.AsyncAnalyticsNumbers(self._origin, runner)
        self.webhooks = AsyncWebhooks(self._origin, runner)

    async def log_in(self, user_id: str, password: str) -> Tokens:
        """Log in, and use the access token from now on. Raises NotFound when the login is wrong."""
        return self._keep(await self.auth.log_in(user_id, password))

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
