"""Edits at the same time: of the same thing one wins and the others are told; of different things all count."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import httpx
import pytest

from meet.core.model.member import NewMember

from .credentials import CREDENTIALS
from .people import add_member, add_user
from .world import Scene

ROOM = "/api/v1/rooms/{room}"
MEMBER = f"{ROOM}/members/{{someone}}"
CONFIG = "/internal-api/v1/config"
LAYOUTS = ("grid", "speaker", "single-speaker")

pytestmark = pytest.mark.asyncio(loop_scope="session")

_BY_NAME = {credential.name: credential for credential in CREDENTIALS}


async def ask(scene: Scene, method: str, path: str, body: Any = None, tag: str | None = None) -> httpx.Response:
    who = "admin" if path.startswith(CONFIG) else "API key"
    headers = {**_BY_NAME[who].headers(scene), **({"If-Match": tag} if tag is not None else {})}
    return await scene.world.client.request(method, scene.fill(path), json=body, headers=headers)


class _Together:
    """A repository whose writers wait for each other: all of them have read before the first one writes."""

    def __init__(self, target: Any, writers: int) -> None:
        self._target = target
        self._barrier = asyncio.Barrier(writers)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._target, name)
        if name not in ("modify", "modify_config", "change_role"):
            return found

        async def write(*args: Any, **options: Any) -> Any:
            await self._barrier.wait()
            return await found(*args, **options)

        return write


async def together(scene: Scene, path: str, bodies: Sequence[Any]) -> list[httpx.Response]:
    """The answers to edits that arrive together."""
    parts = [*scene.world.data, scene.world.accounts]
    targets = [part._target for part in parts]
    for part in parts:
        part._target = _Together(part._target, len(bodies))
    try:
        return await asyncio.gather(*(ask(scene, "PUT", path, body) for body in bodies))
    finally:
        for part, target in zip(parts, targets, strict=True):
            part._target = target


async def at_once(scene: Scene, path: str, bodies: Sequence[Any]) -> list[int]:
    return [answer.status_code for answer in await together(scene, path, bodies)]


async def member(scene: Scene) -> None:
    await add_member(scene, NewMember(name="Ana", base_role="speaker"))


async def person(scene: Scene) -> None:
    await add_user(scene)


async def nothing(_scene: Scene) -> None:
    return None


def layout(name: str) -> Any:
    return {"config": {"recording": {"enabled": True, "layout": name}}}


def may_record(allowed: bool) -> Any:
    return {"customPermissions": {"canRecord": allowed}}


def theme(colour: str) -> Any:
    plain = {"name": "ours", "enabled": True, "baseTheme": "light"}
    return {"appearance": {"themes": [{**plain, "primaryColor": colour}]}}


def provider(name: str) -> Any:
    one = {"provider": "github", "clientId": name, "clientSecret": "s", "redirectUri": "https://x.example"}
    return {"authentication": {"oauthProviders": [one]}}


def receiver(name: str) -> Any:
    return {"enabled": True, "url": f"https://{name}.example/"}


RIVALS: list[tuple[str, str, Callable[[Scene], Awaitable[None]], list[Any]]] = [
    ("config", f"{ROOM}/config", nothing, [layout("speaker"), layout("single-speaker"), layout("speaker")]),
    (
        "roles",
        f"{ROOM}/roles",
        nothing,
        [{"roles": {"speaker": {"permissions": {"canRecord": True, "canEndMeeting": True}}}}]
        + [{"roles": {"speaker": {"permissions": {"canRecord": True, "canEndMeeting": False}}}}] * 2,
    ),
    ("member", MEMBER, member, [may_record(True), may_record(False), {"customPermissions": {}}]),
    ("user", "/api/v1/users/{person}/role", person, [{"role": "admin"}, {"role": "room_manager"}]),
    ("webhooks", f"{CONFIG}/webhooks", nothing, [receiver("a"), receiver("b"), receiver("c")]),
    ("security", f"{CONFIG}/security", nothing, [provider("a"), provider("b")]),
    ("appearance", f"{CONFIG}/rooms/appearance", nothing, [theme("#111"), theme("#222"), theme("#333")]),
]


@pytest.mark.parametrize(("path", "prepare", "bodies"), [each[1:] for each in RIVALS], ids=[each[0] for each in RIVALS])
async def test_of_rivals_that_arrive_together_none_is_lost_silently(
    scene: Scene, path: str, prepare: Callable[[Scene], Awaitable[None]], bodies: list[Any]
) -> None:
    await prepare(scene)
    answers = await together(scene, path, bodies)
    done = [body for body, answer in zip(bodies, answers, strict=True) if answer.status_code == 200]
    refused = [answer for answer in answers if answer.status_code == 409]
    assert len(done) + len(refused) == len(bodies)
    assert done
    assert refused
    assert all(answer.json()["message"].endswith("has been changed in the meantime") for answer in refused)
    # Who was told that it is done finds what they asked for: repeating the winner's edit is no conflict.
    assert (await ask(scene, "PUT", path, done[-1])).status_code == 200
    # And one after the other, every edit counts.
    for body in bodies:
        assert (await ask(scene, "PUT", path, body)).status_code == 200


async def test_edits_of_different_things_all_count(scene: Scene) -> None:
    parts = ("chat", "virtualBackground", "captions")
    bodies = [{"config": {part: {"enabled": False}}} for part in parts]
    assert await at_once(scene, f"{ROOM}/config", bodies) == [200, 200, 200]
    config = (await ask(scene, "GET", f"{ROOM}/config")).json()
    assert [config[part]["enabled"] for part in parts] == [False, False, False]
    names = ("canRecord", "canEndMeeting", "canKickParticipants", "canMakeModerator")
    grants = [{"roles": {"speaker": {"permissions": {name: True}}}} for name in names]
    assert await at_once(scene, f"{ROOM}/roles", grants) == [200] * 4
    room = await scene.world.repositories.rooms.get(scene.room.room_id)
    assert room is not None
    held: dict[Any, bool] = {**room.roles["speaker"]["permissions"]}
    assert all(held[name] for name in names)


async def test_the_same_edit_from_several_is_one_edit(scene: Scene) -> None:
    assert await at_once(scene, f"{ROOM}/status", [{"status": "closed"}] * 10) == [200] * 10


async def test_opening_and_closing_at_once_is_a_conflict(scene: Scene) -> None:
    await ask(scene, "PUT", f"{ROOM}/status", {"status": "closed"})
    bodies = [{"status": "open"}, {"status": "closed"}] * 3
    statuses = await at_once(scene, f"{ROOM}/status", bodies)
    assert set(statuses) == {200, 409}
    room = await scene.world.repositories.rooms.get(scene.room.room_id)
    assert room is not None
    wanted = [body["status"] for body, status in zip(bodies, statuses, strict=True) if status == 200]
    assert room.status in wanted


async def test_recordings_follow_the_last_edit_of_roles_and_access(scene: Scene) -> None:
    recording = await scene.add_recording(media=False)
    for round_ in range(4):
        on = round_ % 2 == 0
        edits = [
            ask(scene, "PUT", f"{ROOM}/access", {"access": {"user": {"enabled": on}}}),
            ask(
                scene,
                "PUT",
                f"{ROOM}/roles",
                {"roles": {"speaker": {"permissions": {"canRetrieveRecordings": on}}}},
            ),
        ]
        await asyncio.gather(*edits)
        stored = await scene.world.repositories.recordings.get(recording.recording_id)
        assert stored is not None
        assert stored.room_user_access is on


@pytest.mark.parametrize(
    ("read", "write", "body"),
    [
        (ROOM, f"{ROOM}/config", layout("speaker")),
        (f"{ROOM}/config", f"{ROOM}/config", layout("speaker")),
        (f"{ROOM}?fields=roomId", f"{ROOM}/roles", {"roles": {"speaker": {"permissions": {"canRecord": True}}}}),
        (ROOM, f"{ROOM}/access", {"access": {"anonymous": {"speaker": {"enabled": False}}}}),
        (ROOM, f"{ROOM}/status", {"status": "closed"}),
        (MEMBER, MEMBER, may_record(True)),
        ("/api/v1/users/{person}", "/api/v1/users/{person}/role", {"role": "room_manager"}),
        (f"{CONFIG}/webhooks", f"{CONFIG}/webhooks", receiver("version")),
        (f"{CONFIG}/security", f"{CONFIG}/security", provider("version")),
        (f"{CONFIG}/rooms/appearance", f"{CONFIG}/rooms/appearance", theme("#abcdef")),
    ],
)
async def test_a_version_that_was_read_can_be_changed_once(scene: Scene, read: str, write: str, body: Any) -> None:
    await member(scene)
    await person(scene)
    tag = (await ask(scene, "GET", read)).headers["etag"]
    assert (await ask(scene, "PUT", write, body, 'W/"0123456789abcdef.1-x"')).status_code == 409
    assert (await ask(scene, "GET", read)).headers["etag"] == tag
    assert (await ask(scene, "PUT", write, body, f'W/"other", {tag}')).status_code == 200
    assert (await ask(scene, "PUT", write, body, tag)).status_code == 409
    assert (await ask(scene, "PUT", write, body, "*")).status_code == 200
    assert (await ask(scene, "PUT", write, body, (await ask(scene, "GET", read)).headers["etag"])).status_code == 200


async def test_a_version_covers_the_room_whatever_part_of_it_is_read(scene: Scene) -> None:
    tags = [(await ask(scene, "GET", path)).headers["etag"] for path in (ROOM, f"{ROOM}?fields=owner")]
    assert tags[0] != tags[1]
    assert tags[0].partition(".")[0] == tags[1].partition(".")[0]


async def test_unchanged_answers_are_not_sent_again(scene: Scene) -> None:
    tag = (await ask(scene, "GET", ROOM)).headers["etag"]
    headers = {**_BY_NAME["API key"].headers(scene), "If-None-Match": tag}
    assert (await scene.world.unjudged.get(scene.fill(ROOM), headers=headers)).status_code == 304


async def test_strangers_get_no_version_of_what_holds_secrets(scene: Scene) -> None:
    mine = await ask(scene, "GET", f"{CONFIG}/security")
    theirs = await scene.world.client.get(f"{CONFIG}/security")
    assert "." in mine.headers["etag"]
    assert "." not in theirs.headers["etag"]
