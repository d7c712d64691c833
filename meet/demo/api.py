"""The few REST calls that the demo and the end-to-end tests make, on aiohttp."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

import aiohttp
import jwt


class ApiError(Exception):
    """A non-2xx answer, with its status and body."""

    def __init__(self, status: int, body: str) -> None:
        super().__init__(f"HTTP {status}: {body}")
        self.status = status


class Api:
    """Calls with the API key. `async with Api(origin, key) as api: ...`"""

    def __init__(self, origin: str, api_key: str) -> None:
        self._origin = origin
        self._api_key = api_key

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(self._origin, headers={"X-API-KEY": self._api_key})
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """JSON of the answer. Raises ApiError."""
        async with self._session.request(method, path, json=body, headers=headers) as response:
            text = await response.text()
            if response.status >= 400:
                raise ApiError(response.status, text)
            return json.loads(text) if text else None

    async def create_room(self, name: str, **fields: Any) -> dict[str, Any]:
        """A new room."""
        room: dict[str, Any] = await self.call("POST", "/api/v1/rooms", {"roomName": name, **fields})
        return room

    async def join_token(self, room: dict[str, Any], name: str, role: str = "moderator") -> tuple[str, str]:
        """(media server URL, token) for joining `room` through its anonymous link."""
        secret = parse_qs(urlsplit(room["access"]["anonymous"][role]["url"]).query)["secret"][0]
        path = f"/internal-api/v1/rooms/{room['roomId']}/members/token"
        body = {"secret": secret, "joinMeeting": True, "participantName": name}
        token = (await self.call("POST", path, body))["token"]
        claims = jwt.decode(token, options={"verify_signature": False})
        return json.loads(claims["metadata"])["livekitUrl"], token

    async def start_recording(self, room_id: str, **config: Any) -> dict[str, Any]:
        """The recording, active."""
        body = {"roomId": room_id, **({"config": config} if config else {})}
        recording: dict[str, Any] = await self.call("POST", "/api/v1/recordings", body)
        return recording

    async def stop_recording(self, recording_id: str) -> dict[str, Any]:
        """The recording, ending."""
        recording: dict[str, Any] = await self.call("POST", f"/api/v1/recordings/{recording_id}/stop")
        return recording

    async def wait_for(self, recording_id: str, *statuses: str, timeout_s: float = 60.0) -> dict[str, Any]:
        """The recording as soon as its status is one of `statuses`. Raises TimeoutError."""
        deadline = time.monotonic() + timeout_s
        while True:
            recording: dict[str, Any] = await self.call("GET", f"/api/v1/recordings/{recording_id}")
            if recording["status"] in statuses:
                return recording
            if time.monotonic() > deadline:
                raise TimeoutError(f"{recording_id} is {recording['status']} after {timeout_s:g} s: {recording}")
            await asyncio.sleep(0.2)

    async def download(self, recording_id: str, path: Path, progress: Callable[[int, int], None]) -> None:
        """Media to `path`; `progress(bytes so far, bytes in all)`."""
        async with self._session.get(f"/api/v1/recordings/{recording_id}/media") as response:
            if response.status != 200:
                raise ApiError(response.status, await response.text())
            done = 0
            with path.open("wb") as file:
                async for chunk in response.content.iter_chunked(1 << 18):
                    file.write(chunk)
                    done += len(chunk)
                    progress(done, response.content_length or 0)
