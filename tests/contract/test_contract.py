"""Every operation, with every credential, in every documented situation.

What is expected follows from the tables and the order of checks alone; what is answered is judged twice, here by status
and text, and by stock Connexion against the document (`oracle`).
"""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from meet.api import documents
from meet.http.documents import load

from . import (
    table_administration,
    table_internal,
    table_meetings,
    table_members,
    table_playback,
    table_recording_extras,
    table_recordings,
    table_rooms,
    table_sharing,
    table_users,
    table_webhooks,
)
from .credentials import CREDENTIALS, MIXED, Credential
from .table import Operation, Situation
from .table_internal import EVENTS, Exchange
from .world import Scene, World, new_scene

OPERATIONS = [
    *table_rooms.OPERATIONS,
    *table_recordings.OPERATIONS,
    *table_playback.OPERATIONS,
    *table_recording_extras.OPERATIONS,
    *table_sharing.OPERATIONS,
    *table_users.OPERATIONS,
    *table_members.OPERATIONS,
    *table_administration.OPERATIONS,
    *table_meetings.OPERATIONS,
    *table_webhooks.OPERATIONS,
]
EXCHANGES = [
    *table_internal.EXCHANGES,
    *table_administration.EXCHANGES,
    *table_meetings.EXCHANGES,
    *table_webhooks.EXCHANGES,
]
ELSEWHERE = {429}
"""Statuses with tests of their own (test_limits)."""
CASES = [(operation, situation) for operation in OPERATIONS for situation in operation.all_situations()]

pytestmark = pytest.mark.asyncio(loop_scope="session")


def credentials_for(operation: Operation) -> list[Credential]:
    """All of them; the mixed one only where the order of its two halves means something."""
    return [each for each in CREDENTIALS if each.name != MIXED or "S" in operation.accepts]


def filled(scene: Scene, value: Any) -> Any:
    """A body or query with the scene's ids in it."""
    if isinstance(value, str):
        return scene.fill(value)
    if isinstance(value, dict):
        return {name: filled(scene, item) for name, item in value.items()}
    return value


async def stage(world: World, operation: Operation, situation: Situation) -> Scene:
    """A scene in which nothing has happened yet but what the situation is about."""
    world.mend()
    scene = await new_scene(world)
    recording = situation.recording or operation.recording
    if recording is not None:
        await scene.add_recording(recording)
    for prepare in (operation.prepare, situation.prepare):
        if prepare is not None:
            await prepare(scene)
    return scene


async def send(scene: Scene, operation: Operation, situation: Situation, credential: Credential) -> httpx.Response:
    query = operation.query if situation.query is None else situation.query
    body = operation.body if situation.body is None else situation.body
    headers = {**credential.headers(scene), **situation.headers}
    content = situation.content
    if content is not None:
        headers["Content-Type"] = "application/json"
    return await scene.world.client.request(
        operation.method,
        scene.fill(situation.path or operation.path),
        params={**filled(scene, query), **credential.query(scene)},
        headers=headers,
        json=filled(scene, body) if content is None and body is not None else None,
        content=content,
    )


def told(response: httpx.Response) -> str:
    body = response.json()
    text: str = body["details"][0]["message"] if "details" in body else body["message"]
    return text


@pytest.mark.parametrize(
    ("operation", "situation"), CASES, ids=[f"{operation.id}-{situation.name}" for operation, situation in CASES]
)
async def test_every_credential_gets_its_answer(world: World, operation: Operation, situation: Situation) -> None:
    wanted, got = {}, {}
    scene: Scene | None = None
    for credential in credentials_for(operation):
        scene = scene or await stage(world, operation, situation)
        judged = world.oracle.judged
        response = await send(scene, operation, situation, credential)
        assert world.oracle.judged == judged + 1
        status, message = operation.expected(situation, credential)
        wanted[credential.name] = status, None if message is None else scene.fill(message)
        got[credential.name] = response.status_code, None if message is None else told(response)
        # Who is refused at the door changes nothing: the next one finds the scene as it was.
        if credential.refused_at_the_door(operation.accepts) is None:
            scene = None
    world.mend()
    assert got == wanted


@pytest.mark.parametrize("exchange", EXCHANGES, ids=lambda exchange: f"{exchange.id}-{exchange.name}")
async def test_internal_exchanges(world: World, exchange: Exchange) -> None:
    scene = await new_scene(world)
    anonymous = scene.room.access["anonymous"]
    scene.variables |= {
        "moderator": anonymous["moderator"]["secret"],
        "speaker": anonymous["speaker"]["secret"],
        "recording_link": anonymous["recording"]["secret"],
    }
    headers = dict(exchange.headers(scene))
    if exchange.content is not None:
        headers.setdefault("Content-Type", "application/json")
    if exchange.prepare is not None:
        await exchange.prepare(scene)
    path = scene.fill(exchange.path)
    try:
        response = await world.client.request(
            exchange.method,
            f"https://meet.example{path}" if path == EVENTS else path,
            headers=headers,
            json=filled(scene, exchange.body) if exchange.content is None and exchange.body is not None else None,
            content=exchange.content,
        )
    finally:
        world.mend()
    assert response.status_code == exchange.status, response.text
    if exchange.error is not None:
        assert told(response) == scene.fill(exchange.error)


def documented() -> set[tuple[str, int]]:
    pairs = set()
    for document in documents():
        if document.path.parent.name == "system":
            continue
        for item in load(document.path)["paths"].values():
            for operation in item.values():
                if isinstance(operation, dict) and "operationId" in operation:
                    pairs |= {(operation["operationId"], int(status)) for status in operation["responses"]}
    return pairs


async def test_the_tables_cover_every_documented_status() -> None:
    covered = {
        (operation.id, operation.expected(situation, credential)[0])
        for operation, situation in CASES
        for credential in credentials_for(operation)
    }
    covered |= {(exchange.id, exchange.status) for exchange in EXCHANGES}
    assert covered == {pair for pair in documented() if pair[1] not in ELSEWHERE}
