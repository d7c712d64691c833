"""Takes server API calls to the worker that has the room; a list of rooms comes from all of them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Final

import aiohttp
import structlog
from aiohttp import web
from livekit.protocol import room as api
from yarl import URL

from meet.media.front import calls
from meet.media.front.fleet import Fleet, NobodyThere, Worker
from meet.media.front.places import Places
from meet.media.twirp import codec
from meet.media.twirp.auth import Authenticator
from meet.media.twirp.errors import TwirpError

log = structlog.get_logger(__name__)

_TIMEOUT_S: Final = 30.0
_AWAY = "a media process is being restarted; try again"


class Forwarder:
    """Routes for the front's application; `close` at the end."""

    def __init__(self, fleet: Fleet, places: Places, keys: Mapping[str, str]) -> None:
        self._fleet = fleet
        self._auth = Authenticator(keys)
        # A connection for each call: one that is kept may lead to a worker that is dead by now.
        self._sessions = [
            aiohttp.ClientSession(
                connector=aiohttp.UnixConnector(str(places.worker(worker.index)), force_close=True),
                timeout=aiohttp.ClientTimeout(total=_TIMEOUT_S),
            )
            for worker in fleet.workers
        ]

    def routes(self) -> list[web.RouteDef]:
        return [web.route("*", "/twirp/{service}/{method}", self._call)]

    async def close(self) -> None:
        for session in self._sessions:
            await session.close()

    async def _call(self, request: web.Request) -> web.Response:
        try:
            return await self._answer(request)
        except TwirpError as error:
            return error.response()
        except (NobodyThere, aiohttp.ClientError, TimeoutError, OSError) as error:
            log.warning("server_api_unavailable", path=request.path, error=type(error).__name__)
            return TwirpError("unavailable", _AWAY).response()

    async def _answer(self, request: web.Request) -> web.Response:
        body = await codec.read_body(request)
        if request.path == calls.LIST_ROOMS:
            return _merged([await self._ask(worker, request, body) for worker in await self._fleet.all()])
        name = calls.room_of(request.path, request.content_type, body)
        creates = request.path == calls.CREATE_ROOM and self._may_create(request)
        return await self._ask(await self._fleet.of_room(name, creates=creates), request, body)

    def _may_create(self, request: web.Request) -> bool:
        try:
            return self._auth.grants(request).room_create
        except TwirpError:
            return False  # any worker says so

    async def _ask(self, worker: Worker, request: web.Request, body: bytes) -> web.Response:
        headers = {name: request.headers[name] for name in ("Authorization", "Content-Type") if name in request.headers}
        session = self._sessions[worker.index]
        # As it came: with its dots and escapes resolved it could be another path than the one that was judged.
        url = URL(f"http://media{request.rel_url.raw_path}", encoded=True)
        async with session.request(request.method, url, data=body, headers=headers, allow_redirects=False) as response:
            return web.Response(status=response.status, body=await response.read(), content_type=response.content_type)


def _merged(answers: Sequence[web.Response]) -> web.Response:
    """The first refusal, or all rooms."""
    refused = next((answer for answer in answers if answer.status != 200), None)
    if refused is not None:
        return refused
    bodies = [answer.body for answer in answers if isinstance(answer.body, bytes)]
    if answers[0].content_type == codec.JSON:
        rooms = [room for body in bodies for room in json.loads(body)["rooms"]]
        return web.Response(body=json.dumps({"rooms": rooms}).encode(), content_type=codec.JSON)
    merged = api.ListRoomsResponse()
    for body in bodies:
        merged.MergeFromString(body)
    return web.Response(body=merged.SerializeToString(), content_type=codec.PROTOBUF)
