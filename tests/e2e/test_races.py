"""Many requests at once on a real server: whatever the order, one winner, no 5xx, and nothing left behind."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import closing
from typing import Any

import aiohttp
import jwt
import psutil
import pytest
import pytest_asyncio

from meet.demo.api import Api
from meet.demo.robot import Robot
from meet.demo.server import Server
from tests.e2e.test_serve import pid_of

pytestmark = pytest.mark.asyncio(loop_scope="module")
Answer = tuple[int, Any]
PARALLEL = 50


class Crowd:
    """Sends requests at the same time, each on its own connection."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def all(self, requests: Iterable[tuple[str, str, Any]], **headers: str) -> list[Answer]:
        return await asyncio.gather(*(self.one(*request, **headers) for request in requests))

    async def one(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        async with self._session.request(method, path, json=body, headers=headers) as response:
            text = await response.text()
            return response.status, json.loads(text) if text else None


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    env = {"MEET_LOG_FORMAT": "json", "MEET_RATE_LIMITS": "false"}
    async with Server(tmp_path_factory.mktemp("races") / "data", env=env) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def api(server: Server) -> AsyncIterator[Api]:
    async with Api(server.url, server.api_key) as client:
        yield client


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def crowd(server: Server) -> AsyncIterator[Crowd]:
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(server.url, headers={"X-API-KEY": server.api_key}, connector=connector) as session:
        yield Crowd(session)


def statuses(answers: Iterable[Answer]) -> dict[int, int]:
    return dict(Counter(status for status, _ in answers))


def rows(server: Server, table: str, *room_ids: str) -> int:
    """How many rows of a table belong to the rooms."""
    query = f"SELECT count(*) FROM {table} WHERE room_id IN ({','.join('?' * len(room_ids))})"
    with closing(sqlite3.connect(server.data_dir / "meet.db")) as database:
        found: int = database.execute(query, room_ids).fetchone()[0]
        return found


@pytest.mark.timeout(300)
async def test_fifty_starts_make_one_recording(server: Server, api: Api, crowd: Crowd) -> None:
    room = await api.create_room("Race")
    url, token = await api.join_token(room, "Ada")
    async with Robot(url, token):
        answers = await crowd.all([("POST", "/api/v1/recordings", {"roomId": room["roomId"]})] * PARALLEL)
        assert statuses(answers) == {201: 1, 409: PARALLEL - 1}
        recording = next(body for status, body in answers if status == 201)
        assert rows(server, "recordings", room["roomId"]) == 1
        assert rows(server, "recording_locks", room["roomId"]) == 1
        stop = f"/api/v1/recordings/{recording['recordingId']}/stop"
        stopped = statuses(await crowd.all([("POST", stop, None)] * 10))
        assert stopped[202] == 1
        assert stopped[409] == 9
    await api.wait_for(recording["recordingId"], "complete", timeout_s=90)
    assert rows(server, "recording_locks", room["roomId"]) == 0

    path = f"/api/v1/recordings/{recording['recordingId']}"
    bulk = f"/api/v1/recordings?recordingIds={recording['recordingId']}"
    answers = await crowd.all([("DELETE", path, None), ("DELETE", bulk, None)] * 10)
    gone = statuses(answers)
    assert gone.keys() <= {200, 400, 404, 409}, gone
    assert gone[200] == 1, "exactly one request did it"
    assert rows(server, "recordings", room["roomId"]) == 0
    assert not list((server.data_dir / "storage").rglob("*.mp4"))


async def test_rooms_are_deleted_once(server: Server, api: Api, crowd: Crowd) -> None:
    ids = [(await api.create_room(f"Race {number}"))["roomId"] for number in range(5)]
    single = [("DELETE", f"/api/v1/rooms/{room_id}", None) for room_id in ids] * 4
    bulk = [("DELETE", f"/api/v1/rooms?roomIds={','.join(ids)}", None)] * 4
    tokens: list[tuple[str, str, Any]] = [
        ("POST", f"/internal-api/v1/rooms/{room_id}/members/token", {}) for room_id in ids
    ] * 2
    answers = await crowd.all([*single, *tokens, *bulk])
    assert statuses(answers).keys() <= {200, 400, 404}, statuses(answers)
    deleted = [
        body["room"]["roomId"] if "room" in body else None for status, body in answers[: len(single)] if status == 200
    ]
    in_bulk = [each["roomId"] for _, body in answers[-len(bulk) :] for each in body["deleted"]]
    assert len(deleted) + len(in_bulk) == len(ids)
    assert [rows(server, table, *ids) for table in ("rooms", "participant_names", "participant_grants")] == [0, 0, 0]


async def test_one_user_per_id(server: Server, crowd: Crowd) -> None:
    body = {"userId": "race_ana", "name": "Ana", "password": "correct horse", "role": "room_member"}
    assert statuses(await crowd.all([("POST", "/api/v1/users", body)] * 12)) == {201: 1, 409: 11}
    gone = statuses(await crowd.all([("DELETE", "/api/v1/users/race_ana", None)] * 12))
    assert gone == {200: 1, 404: 11}


async def test_no_two_participants_of_one_name(server: Server, api: Api, crowd: Crowd) -> None:
    room = await api.create_room("Names")
    path = f"/internal-api/v1/rooms/{room['roomId']}/members/token"
    secret = room["access"]["anonymous"]["speaker"]["url"].rpartition("=")[2]
    body = {"secret": secret, "joinMeeting": True, "participantName": "Ana"}
    answers = await crowd.all([("POST", path, body)] * 30)
    assert statuses(answers) == {200: 30}
    claims = [jwt.decode(answer["token"], options={"verify_signature": False}) for _, answer in answers]
    assert {each["name"] for each in claims} == {"Ana", *(f"Ana_{number}" for number in range(1, 30))}
    assert rows(server, "participant_names", room["roomId"]) == 30


async def test_settings_changed_at_once_are_all_kept(server: Server, api: Api, crowd: Crowd) -> None:
    room = await api.create_room("Config")
    path = f"/api/v1/rooms/{room['roomId']}/config"
    parts = ("chat", "virtualBackground", "captions")
    answers = await crowd.all([("PUT", path, {"config": {part: {"enabled": False}}}) for part in parts] * 5)
    assert statuses(answers) == {200: 15}
    config = await api.call("GET", path)
    assert [config[part]["enabled"] for part in parts] == [False] * 3


async def test_refreshing_at_once(server: Server, crowd: Crowd) -> None:
    settings = server.settings
    login = {"userId": settings.initial_admin_user, "password": settings.initial_admin_password}
    _, first = await crowd.one("POST", "/internal-api/v1/auth/login", login)
    refresh = [("POST", "/internal-api/v1/auth/refresh", None)] * 20
    answers = await crowd.all(refresh, **{"X-Refresh-Token": f"Bearer {first['refreshToken']}"})
    assert statuses(answers) == {200: 20}
    for _, body in answers:
        assert (await crowd.one("GET", "/internal-api/v1/users/me", Authorization=f"Bearer {body['accessToken']}"))[
            0
        ] == 200


async def test_descriptors_come_back(server: Server, api: Api) -> None:
    room = (await api.create_room("Descriptors"))["roomId"]
    paths = ("/api/v1/rooms", f"/api/v1/rooms/{room}", "/api/v1/recordings", "/api/v1/docs", "/room/none", "/readyz")
    backend = psutil.Process(pid_of(server, "meet backend"))

    async def cycle() -> None:
        async with aiohttp.ClientSession(server.url, headers={"X-API-KEY": server.api_key}) as session:
            for path in paths:
                async with session.get(path) as response:
                    await response.read()
            async with session.post(f"/internal-api/v1/rooms/{room}/members/token", json={}) as response:
                assert response.status == 200

    for _ in range(5):
        await cycle()
    await asyncio.sleep(0.5)  # closed connections are noticed by then
    before = backend.num_fds()
    for _ in range(50):
        await cycle()
    async with asyncio.timeout(60):
        while backend.num_fds() > before + 2:
            await asyncio.sleep(0.1)
