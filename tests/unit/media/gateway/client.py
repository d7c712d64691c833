"""A client that speaks signalling only, to see what the gateway says; no media."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Protocol

import aiohttp
import jwt
from livekit.protocol import rtc as sig

from meet.media.main import MediaConfig, MediaServer

KEY, SECRET = "key", "s" * 32


def token(identity: str, room: str = "room", **grants: Any) -> str:
    video = {"roomJoin": True, "room": room, **grants}
    claims = {"iss": KEY, "sub": identity, "name": identity.title(), "exp": int(time.time()) + 60, "video": video}
    return jwt.encode(claims, SECRET, algorithm="HS256")


@asynccontextmanager
async def running(**options: Any) -> AsyncIterator[MediaServer]:
    config = MediaConfig(keys={KEY: SECRET}, port=0, rtc_host="127.0.0.1", rtc_port=0, **options)
    server = MediaServer(config)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


class Listening(Protocol):
    """A media server, or the front of several processes."""

    port: int


class Client:
    """One signalling connection; `expect` skips messages until the wanted kind comes."""

    def __init__(self, http: aiohttp.ClientSession, server: Listening) -> None:
        self._http = http
        self._base = f"http://127.0.0.1:{server.port}"
        self.socket: aiohttp.ClientWebSocketResponse
        self.sid = ""

    async def v0(self, token_text: str, **query: str) -> Client:
        params = {"access_token": token_text, **query}
        self.socket = await self._http.ws_connect(f"{self._base}/rtc", params=params)
        return self

    async def v1(self, token_text: str, request: sig.JoinRequest | None = None) -> Client:
        inner = request or sig.JoinRequest(connection_settings=sig.ConnectionSettings(auto_subscribe=True))
        outer = sig.WrappedJoinRequest(join_request=inner.SerializeToString())
        text = base64.urlsafe_b64encode(outer.SerializeToString()).decode()
        headers = {"Authorization": f"Bearer {token_text}"}
        url = f"{self._base}/rtc/v1"
        self.socket = await self._http.ws_connect(url, params={"join_request": text}, headers=headers)
        return self

    async def expect(self, kind: str) -> Any:
        async with asyncio.timeout(40):
            while True:
                message = await self.socket.receive()
                if message.type is not aiohttp.WSMsgType.BINARY:
                    raise AssertionError(f"the socket ended ({message.type}) before {kind}")
                response = sig.SignalResponse.FromString(message.data)
                if response.WhichOneof("message") == kind:
                    return getattr(response, kind)

    async def ended(self) -> None:
        """The server closes the socket."""
        async with asyncio.timeout(40):
            while (await self.socket.receive()).type is aiohttp.WSMsgType.BINARY:
                pass

    async def send(self, **message: Any) -> None:
        await self.socket.send_bytes(sig.SignalRequest(**message).SerializeToString())
