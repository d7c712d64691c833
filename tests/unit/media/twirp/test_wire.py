"""Bodies, errors and grants on the wire, with a plain HTTP client."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import jwt
import pytest
from livekit import api

from tests.unit.media.twirp.conftest import KEY, SECRET, Server

FAR = 4_000_000_000


@pytest.fixture
async def http(server: Server) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(base_url=f"{server.url}/") as session:
        yield session


def bearer(video: dict[str, Any], **claims: Any) -> str:
    claims = {"iss": KEY, "exp": FAR, "video": video} | claims
    return "Bearer " + jwt.encode(claims, SECRET, algorithm="HS256")


async def call(
    http: aiohttp.ClientSession, path: str, authorization: str | None, body: bytes = b"{}", **headers: str
) -> tuple[int, Any]:
    sent = {"Content-Type": "application/json"} | headers
    if authorization is not None:
        sent["Authorization"] = authorization
    async with http.post(f"twirp/{path}", data=body, headers=sent) as response:
        return response.status, json.loads(await response.read())


async def test_json_in_both_spellings_and_out_with_proto_names(http: aiohttp.ClientSession) -> None:
    for field in ("emptyTimeout", "empty_timeout"):
        body = json.dumps({"name": field, field: 7, "futureField": 1}).encode()
        status, room = await call(http, "livekit.RoomService/CreateRoom", bearer({"roomCreate": True}), body)
        assert status == 200
        assert (room["name"], room["empty_timeout"], room["num_participants"]) == (field, 7, 0)


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "Basic abc",
        "Bearer ",
        "Bearer nonsense",
        bearer({"roomList": True}, exp=1),
        bearer({"roomList": True}, iss="somebody"),
        "Bearer " + jwt.encode({"iss": KEY, "video": {"roomList": True}}, SECRET, algorithm="HS256"),
        "Bearer " + jwt.encode({"iss": KEY, "exp": FAR, "video": {"roomList": True}}, "x" * 32, algorithm="HS256"),
    ],
)
async def test_without_a_valid_token(http: aiohttp.ClientSession, authorization: str | None) -> None:
    status, error = await call(http, "livekit.RoomService/ListRooms", authorization)
    assert (status, error["code"]) == (401, "unauthenticated")


ADMIN = {"roomAdmin": True, "room": "a"}


@pytest.mark.parametrize(
    ("method", "body", "right", "wrong"),
    [
        ("RoomService/CreateRoom", {"name": "a"}, {"roomCreate": True}, {"roomList": True}),
        ("RoomService/ListRooms", {}, {"roomList": True}, {"roomCreate": True}),
        ("RoomService/DeleteRoom", {"room": "a"}, {"roomCreate": True}, ADMIN),
        ("RoomService/ListParticipants", {"room": "a"}, ADMIN, {"roomAdmin": True, "room": "b"}),
        ("RoomService/GetParticipant", {"room": "a", "identity": "x"}, ADMIN, {"room": "a"}),
        ("RoomService/RemoveParticipant", {"room": "a", "identity": "x"}, ADMIN, {"roomAdmin": True}),
        ("RoomService/UpdateParticipant", {"room": "a", "identity": "x"}, ADMIN, {"roomAdmin": 1, "room": "a"}),
        ("RoomService/MutePublishedTrack", {"room": "a", "identity": "x", "muted": True}, ADMIN, {"roomJoin": True}),
        ("RoomService/UpdateSubscriptions", {"room": "a", "identity": "x"}, ADMIN, {}),
        ("RoomService/SendData", {"room": "a", "data": "aGk="}, ADMIN, {"roomCreate": True, "roomList": True}),
        ("RoomService/UpdateRoomMetadata", {"room": "a"}, ADMIN, {"roomRecord": True}),
        ("Egress/StartRoomCompositeEgress", {"room_name": "a"}, {"roomRecord": True}, ADMIN),
        ("Egress/StopEgress", {"egress_id": "EG_x"}, {"roomRecord": True}, ADMIN),
        ("Egress/ListEgress", {}, {"roomRecord": True}, {"roomList": True}),
        ("Egress/UpdateLayout", {"egress_id": "EG_x", "layout": "grid"}, {"roomRecord": True}, {}),
    ],
)
async def test_grants(
    http: aiohttp.ClientSession, method: str, body: dict[str, Any], right: dict[str, Any], wrong: dict[str, Any]
) -> None:
    encoded = json.dumps(body).encode()
    status, error = await call(http, f"livekit.{method}", bearer(wrong), encoded)
    assert (status, error["code"]) == (403, "permission_denied")
    status, answer = await call(http, f"livekit.{method}", bearer(right), encoded)
    assert status in (200, 400, 404), answer  # the grant is accepted; there just may be no such room


async def test_malformed_bodies(http: aiohttp.ClientSession) -> None:
    token = bearer({"roomCreate": True})
    path = "livekit.RoomService/CreateRoom"
    deep = b'{"a":' * 60_000 + b"1" + b"}" * 60_000
    for body in (b"{", b"[]", b'{"name": 5}', b"\xff", deep):
        status, error = await call(http, path, token, body)
        assert (status, error["code"]) == (400, "malformed"), body[:20]
    status, error = await call(http, path, token, b"\xff\xff\xff", **{"Content-Type": "application/protobuf"})
    assert (status, error["code"]) == (400, "malformed")
    status, error = await call(http, path, token, b"x", **{"Content-Type": "text/plain"})
    assert (status, error["code"]) == (404, "bad_route")


async def test_long_bodies_are_cut_off_with_and_without_a_length(http: aiohttp.ClientSession) -> None:
    token, path = bearer({"roomCreate": True}), "livekit.RoomService/CreateRoom"
    status, error = await call(http, path, token, b" " * (600 * 1024))
    assert (status, error["code"]) == (429, "resource_exhausted")

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b" " * 65536

    headers = {"Content-Type": "application/json", "Authorization": token}
    async with http.post(f"twirp/{path}", data=endless(), headers=headers) as response:
        assert response.status == 429


async def test_unknown_methods_and_verbs(http: aiohttp.ClientSession) -> None:
    status, error = await call(http, "livekit.RoomService/MakeCoffee", bearer({}))
    assert (status, error["code"]) == (404, "bad_route")
    async with http.get("twirp/livekit.RoomService/ListRooms") as response:
        assert (response.status, (await response.json())["code"]) == (404, "bad_route")


async def test_every_method_of_the_protocol_is_answered(http: aiohttp.ClientSession) -> None:
    from livekit.protocol import egress, room

    for service in (*room.DESCRIPTOR.services_by_name.values(), *egress.DESCRIPTOR.services_by_name.values()):
        for method in service.methods:
            _, answer = await call(http, f"{service.full_name}/{method.name}", bearer({}))
            assert answer.get("code") in ("permission_denied", "unimplemented"), method.name


async def test_a_bug_is_an_internal_error_without_details(
    http: aiohttp.ClientSession, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_names: object) -> list[api.Room]:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(server.registry, "list", broken)
    status, error = await call(http, "livekit.RoomService/ListRooms", bearer({"roomList": True}))
    assert (status, error) == (500, {"code": "internal", "msg": "internal error"})
