"""meet.Egress, spoken to as protobuf by livekit-api's Twirp client and as JSON by anybody."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import aiohttp
import pytest
from google.protobuf import json_format
from google.protobuf.struct_pb2 import Struct
from livekit import api
from livekit.api.twirp_client import TwirpClient

from tests.unit.media.twirp.conftest import KEY, SECRET, Server

Call = Callable[..., Awaitable[dict[str, Any]]]
REQUEST = {"room_name": "a", "layout": "speaker", "file_outputs": [{"filepath": "rec/a--x"}]}


@pytest.fixture
def call(server: Server) -> Call:
    async def call(method: str, *, record: bool = True, **body: Any) -> dict[str, Any]:
        token = api.AccessToken(KEY, SECRET).with_grants(api.VideoGrants(room_record=record)).to_jwt()
        message = Struct()
        message.update(body)
        answer = api.EgressInfo if method.startswith("Start") else Struct
        async with aiohttp.ClientSession() as session:
            client = TwirpClient(session, server.url, "meet", failover=False)
            found = await client.request("Egress", method, message, {"Authorization": f"Bearer {token}"}, answer)
        return json_format.MessageToDict(found, preserving_proto_field_name=True)

    return call


async def start(server: Server, call: Call, compose: str = "after") -> str:
    server.registry.create("a")
    return str((await call("StartRoomCompositeEgress", request=REQUEST, compose=compose))["egress_id"])


async def test_pause_and_resume_are_idempotent(call: Call, server: Server) -> None:
    egress_id = await start(server, call)
    expected = {"egress_id": egress_id, "status": "starting", "compose": "after"}
    for method, paused in (("PauseEgress", True), ("PauseEgress", True), ("ResumeEgress", False)):
        assert await call(method, egress_id=egress_id) == expected | {"paused": paused}
        assert await call("GetEgress", egress_id=egress_id) == expected | {"paused": paused}


async def test_what_was_measured_of_the_file(call: Call, server: Server) -> None:
    egress_id = await start(server, call, "live")
    integrity = {"sha256": "ab", "size": 5_000_000_000, "duration_s": 1.5, "frames": 45}
    done = replace(server.control.states[egress_id], status="complete", paused=True, integrity=integrity)
    server.control.states[egress_id] = done
    assert await call("GetEgress", egress_id=egress_id) == {
        "egress_id": egress_id,
        "status": "complete",
        "paused": False,
        "compose": "live",
        "integrity": integrity,
    }


async def test_compose_is_part_of_the_request(call: Call, server: Server) -> None:
    egress_id = await start(server, call)
    request = server.control.states[egress_id].request
    assert (request.compose, request.layout, request.key) == ("after", "speaker", "rec/a--x.mp4")


@pytest.mark.parametrize(
    ("method", "body", "code"),
    [
        ("PauseEgress", {"egress_id": "EG_none"}, "not_found"),
        ("ResumeEgress", {}, "invalid_argument"),
        ("GetEgress", {"egress_id": "EG_none"}, "not_found"),
        ("GetEgress", {"egress_id": 5}, "invalid_argument"),
        ("StartRoomCompositeEgress", {"request": REQUEST}, "invalid_argument"),
        ("StartRoomCompositeEgress", {"request": REQUEST, "compose": "later"}, "invalid_argument"),
        ("StartRoomCompositeEgress", {"request": {"room_name": 5}, "compose": "live"}, "malformed"),
        ("StartRoomCompositeEgress", {"request": REQUEST | {"room_name": "b"}, "compose": "live"}, "not_found"),
        ("StopEgress", {"egress_id": "EG_none"}, "bad_route"),
    ],
)
async def test_refusals(call: Call, server: Server, method: str, body: dict[str, Any], code: str) -> None:
    server.registry.create("a")
    with pytest.raises(api.ServerError) as caught:
        await call(method, **body)
    assert caught.value.code == code


async def test_pausing_what_is_over_or_does_not_answer(call: Call, server: Server) -> None:
    egress_id = await start(server, call)
    server.control.silent = True
    with pytest.raises(api.ServerError) as caught:
        await call("PauseEgress", egress_id=egress_id)
    assert (caught.value.code, caught.value.status) == ("deadline_exceeded", 408)
    server.control.away = True
    with pytest.raises(api.ServerError) as caught:
        await call("GetEgress", egress_id=egress_id)
    assert (caught.value.code, caught.value.status) == ("unavailable", 503)
    await server.control.stop(egress_id)
    with pytest.raises(api.ServerError) as caught:
        await call("PauseEgress", egress_id=egress_id)
    assert caught.value.code == "failed_precondition"


@pytest.mark.parametrize("method", ["PauseEgress", "ResumeEgress", "GetEgress", "StartRoomCompositeEgress"])
async def test_every_call_needs_the_grant_to_record(call: Call, method: str) -> None:
    with pytest.raises(api.ServerError) as caught:
        await call(method, record=False, egress_id="EG_1", request=REQUEST, compose="live")
    assert caught.value.code == "permission_denied"


async def test_plain_json(server: Server) -> None:
    token = api.AccessToken(KEY, SECRET).with_grants(api.VideoGrants(room_record=True)).to_jwt()
    server.registry.create("a")
    async with aiohttp.ClientSession(server.url, headers={"Authorization": f"Bearer {token}"}) as session:
        body = {"request": REQUEST, "compose": "live"}
        async with session.post("/twirp/meet.Egress/StartRoomCompositeEgress", json=body) as answer:
            egress_id = (await answer.json())["egress_id"]
        async with session.post("/twirp/meet.Egress/PauseEgress", json={"egress_id": egress_id}) as answer:
            assert await answer.json() == {
                "egress_id": egress_id,
                "status": "starting",
                "paused": True,
                "compose": "live",
            }
