"""The LiveKit signalling connection of a subscriber (protocol v0: the server makes the offers)."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from collections.abc import AsyncIterator
from typing import Any, Final

import aiohttp
import jwt
from livekit.protocol import rtc as pb

from meet.recorder.subscriber.selection import Selection

_TOKEN_S: Final = 12 * 3600
_CONNECT_S: Final = 10.0
_PROTOCOL: Final = 12


class RoomGone(Exception):
    """The server knows no such room: the meeting is over, or has not begun again."""


class ServerUnreachable(Exception):
    """The server refused the connection or ended it while joining; worth another try."""


def mint_token(api_key: str, api_secret: str, *, room: str, identity: str) -> str:
    """A hidden, receive-only participant that neither creates the room nor keeps it alive."""
    now = int(time.time())
    claims = {
        "iss": api_key,
        "sub": identity,
        "name": "recorder",
        "nbf": now - 10,
        "exp": now + _TOKEN_S,
        "kind": "egress",
        "video": {
            "room": room,
            "roomJoin": True,
            "canSubscribe": True,
            "canPublish": False,
            "canPublishData": False,
            "hidden": True,
            "recorder": True,
        },
    }
    return jwt.encode(claims, api_secret, algorithm="HS256")


class Signalling:
    """One WebSocket; `async with Signalling(...) as s: async for message in s.messages(): ...`.

    selection: only its tracks are received; without one the server sends every track.
    """

    def __init__(
        self, url: str, token: str, *, tls: ssl.SSLContext | bool = True, selection: Selection | None = None
    ) -> None:
        base = url.rstrip("/").replace("http://", "ws://", 1).replace("https://", "wss://", 1)
        everything = 0 if selection else 1
        self._url = (
            f"{base}/rtc?auto_subscribe={everything}&adaptive_stream=0&sdk=python&version=1.0.0&protocol={_PROTOCOL}"
        )
        self.selection = selection
        self._token = token
        self._tls = tls
        self._ping: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Signalling:
        self._session = aiohttp.ClientSession()
        try:
            async with asyncio.timeout(_CONNECT_S):
                self._ws = await self._session.ws_connect(
                    self._url, headers={"Authorization": f"Bearer {self._token}"}, ssl=self._tls, max_msg_size=8 << 20
                )
        except aiohttp.WSServerHandshakeError as error:
            await self._session.close()
            if error.status == 404:
                raise RoomGone(f"the media server answered {error.status}") from None
            raise ServerUnreachable(f"the media server answered {error.status}") from None
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            await self._session.close()
            # Not the exception's own text: it may hold the URL.
            raise ServerUnreachable(type(error).__name__) from None
        except BaseException:
            await self._session.close()
            raise
        return self

    async def __aexit__(self, *_: Any) -> None:
        if self._ping is not None:
            self._ping.cancel()
        with contextlib.suppress(ConnectionError, aiohttp.ClientError):
            await self.send(pb.SignalRequest(leave=pb.LeaveRequest()))
        await self._ws.close()
        await self._session.close()

    async def messages(self) -> AsyncIterator[pb.SignalResponse]:
        """Everything the server says, until the socket closes."""
        async for message in self._ws:
            if message.type is not aiohttp.WSMsgType.BINARY:
                continue
            response = pb.SignalResponse()
            response.ParseFromString(message.data)
            yield response

    async def send(self, request: pb.SignalRequest) -> None:
        """One request."""
        if not self._ws.closed:
            await self._ws.send_bytes(request.SerializeToString())

    def keep_alive(self, interval_s: float) -> None:
        """Ping at the interval that the server asked for in its join message."""

        async def ping() -> None:
            while True:
                await asyncio.sleep(interval_s)
                now = time.time_ns() // 1_000_000
                await self.send(pb.SignalRequest(ping_req=pb.Ping(timestamp=now, rtt=0)))

        if interval_s > 0 and self._ping is None:
            self._ping = asyncio.create_task(ping())

    async def answer(self, sdp: str, offer_id: int) -> None:
        """Our answer to the offer with that id."""
        await self.send(pb.SignalRequest(answer=pb.SessionDescription(type="answer", sdp=sdp, id=offer_id)))

    async def subscribe(self, track_sids: list[str]) -> None:
        """Ask for tracks, where not every track comes by itself."""
        await self.send(pb.SignalRequest(subscription=pb.UpdateSubscription(track_sids=track_sids, subscribe=True)))

    async def want_size(self, track_sid: str, width: int, height: int) -> None:
        """Ask for the simulcast layer nearest this size."""
        settings = pb.UpdateTrackSettings(track_sids=[track_sid], width=width, height=height)
        await self.send(pb.SignalRequest(track_setting=settings))
