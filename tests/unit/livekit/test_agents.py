"""Agents through LiveKit's AgentDispatchService: a server that has them, and the embedded one, which has none."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from google.protobuf.message import Message
from livekit import api

from meet.core.errors import MediaServerError
from meet.core.meeting_errors import CaptionsUnavailable
from meet.livekit import LiveKitMediaServer

KEY, SECRET = "devkey", "a secret that is long enough for HS256"


class Agents:
    """The service over Twirp, for one room that exists."""

    def __init__(self) -> None:
        self.held: dict[str, api.AgentDispatch] = {}

    async def call(self, request: web.Request) -> web.Response:
        grants = api.TokenVerifier(KEY, SECRET).verify(request.headers["Authorization"].removeprefix("Bearer "))
        body = await request.read()
        method = request.match_info["method"]
        answer: Message
        if method == "CreateDispatch":
            wanted = api.CreateAgentDispatchRequest.FromString(body)
            assert grants.video is not None and (grants.video.room_admin, grants.video.room) == (True, wanted.room)
            if wanted.room == "full":
                return web.json_response({"code": "internal", "msg": "no"}, status=500)
            answer = api.AgentDispatch(
                id=f"AD_{len(self.held)}",
                agent_name=wanted.agent_name,
                room=wanted.room,
                state=api.AgentDispatchState(),
            )
            self.held[answer.id] = answer
        elif method == "ListDispatch":
            room = api.ListAgentDispatchRequest.FromString(body).room
            answer = api.ListAgentDispatchResponse(
                agent_dispatches=[each for each in self.held.values() if each.room == room]
            )
        else:
            gone = self.held.pop(api.DeleteAgentDispatchRequest.FromString(body).dispatch_id, None)
            if gone is None:
                return web.json_response({"code": "not_found", "msg": "no such dispatch"}, status=404)
            answer = gone
        return web.Response(body=answer.SerializeToString(), content_type="application/protobuf")


@pytest.fixture
async def agents() -> AsyncIterator[tuple[Agents, LiveKitMediaServer]]:
    service, app = Agents(), web.Application()
    app.router.add_post("/twirp/livekit.AgentDispatchService/{method}", service.call)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    client = LiveKitMediaServer(f"ws://127.0.0.1:{runner.addresses[0][1]}", KEY, SECRET)
    yield service, client
    await client.close()
    await runner.cleanup()


async def test_dispatches_of_one_agent(agents: tuple[Agents, LiveKitMediaServer]) -> None:
    service, media = agents
    first = await media.create_dispatch("daily", "speech-processing")
    await media.create_dispatch("daily", "translator")
    await media.create_dispatch("weekly", "speech-processing")
    assert await media.list_dispatches("daily", "speech-processing") == [first]
    service.held[first].state.deleted_at = 1
    assert await media.list_dispatches("daily", "speech-processing") == []
    await media.delete_dispatch("daily", first)
    await media.delete_dispatch("daily", first)
    assert first not in service.held


async def test_a_refused_dispatch_is_an_error_of_the_media_server(agents: tuple[Agents, LiveKitMediaServer]) -> None:
    with pytest.raises(MediaServerError, match="creating agent dispatch for room 'full'"):
        await agents[1].create_dispatch("full", "speech-processing")


async def test_the_embedded_server_says_that_it_has_none(media: LiveKitMediaServer) -> None:
    for call in (media.list_dispatches, media.create_dispatch):
        with pytest.raises(CaptionsUnavailable, match="no agents"):
            await call("daily", "speech-processing")
