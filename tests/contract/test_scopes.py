"""Lists hold what the caller may see, on every page: contract 2.2.2, 2.4.1, appendix D."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from meet.core.callers import Caller
from meet.core.model.member import NewMember
from meet.core.model.room import NewRoom
from meet.core.model.user import User, UserRole

from .calls import call
from .people import add_member, add_user
from .world import Scene, add_recording

pytestmark = pytest.mark.asyncio(loop_scope="session")

ROOMS = "/api/v1/rooms"
RECORDINGS = "/api/v1/recordings"


@dataclass
class House:
    """Rooms of several kinds, two of each, mixed; their recordings have the same ids as keys."""

    user: User
    owned: set[str]
    joined: set[str]
    joined_blind: set[str]
    open: set[str]
    foreign: set[str]
    recording_of: dict[str, str]

    @property
    def everything(self) -> set[str]:
        return self.owned | self.joined | self.joined_blind | self.open | self.foreign


async def house(scene: Scene, role: UserRole) -> House:
    user = await add_user(scene, role)
    other = Caller("user", user=await add_user(scene, "room_manager"))
    built = House(user, set(), set(), set(), set(), set(), {})
    for _ in range(2):
        for kind in (built.owned, built.joined, built.joined_blind, built.open, built.foreign):
            if kind is built.owned and role == "room_member":
                continue
            owner = Caller("user", user=user) if kind is built.owned else other
            access = {"user": {"enabled": kind is built.open}}
            room = await scene.world.core.rooms.create(owner, NewRoom(room_name="Scoped", access=access))  # type: ignore[arg-type]
            if kind is built.joined or kind is built.joined_blind:
                custom = {"canRetrieveRecordings": kind is built.joined}
                new = NewMember(user_id=user.user_id, base_role="speaker", custom_permissions=custom)
                await add_member(scene, new, room.room_id)
            recording = await add_recording(scene.world, room, media=False)
            kind.add(room.room_id)
            built.recording_of[room.room_id] = recording.recording_id
    return built


async def walk(scene: Scene, path: str, user: User | None, size: int, **params: str) -> list[str]:
    """The ids on all pages, for a user or for the API key. Only ids are asked for, which must not disturb paging."""
    name, item = ("rooms", "roomId") if path == ROOMS else ("recordings", "recordingId")
    headers = {"Authorization": f"Bearer {scene.world.user_token(user.user_id)}"} if user else {}
    query = {"maxItems": str(size), "fields": item, "roomName": "Scoped", **params}
    found: list[str] = []
    while True:
        who = "nobody" if user else "API key"
        page = (await call(scene, "GET", path, who=who, headers=headers, params=query)).json()
        found += [each[item] for each in page[name]]
        if not page["pagination"]["isTruncated"]:
            return found
        query["nextPageToken"] = page["pagination"]["nextPageToken"]


@pytest.mark.parametrize("size", [1, 3, 100])
@pytest.mark.parametrize("role", ["room_manager", "room_member"])
async def test_rooms(scene: Scene, role: UserRole, size: int) -> None:
    built = await house(scene, role)
    seen = await walk(scene, ROOMS, built.user, size)
    mine = built.owned | built.joined | built.joined_blind
    assert len(seen) == len(set(seen))
    assert set(seen) & built.everything == mine | built.open
    assert mine.isdisjoint(await walk(scene, ROOMS, built.user, size, userAccess="true"))
    own = await walk(scene, ROOMS, built.user, size, owner=built.user.user_id)
    assert set(own) == built.owned
    joined = await walk(scene, ROOMS, built.user, size, member=built.user.user_id)
    assert set(joined) == built.joined | built.joined_blind
    assert set(await walk(scene, ROOMS, None, size, member=built.user.user_id)) == set(joined)
    headers = {"Authorization": f"Bearer {scene.world.user_token(built.user.user_id)}"}
    for someone in ("owner", "member"):
        await call(scene, "GET", ROOMS, 403, who="nobody", headers=headers, params={someone: "admin"})


@pytest.mark.parametrize("size", [1, 3, 100])
@pytest.mark.parametrize("role", ["room_manager", "room_member"])
async def test_recordings(scene: Scene, role: UserRole, size: int) -> None:
    built = await house(scene, role)
    for params in ({}, {"status": "complete"}, {"sortField": "duration"}):
        seen = await walk(scene, RECORDINGS, built.user, size, **params)
        assert len(seen) == len(set(seen))
        wanted = built.owned | built.joined | built.open
        ours = {built.recording_of[room] for room in built.everything}
        assert set(seen) & ours == {built.recording_of[room] for room in wanted}
    foreign = built.foreign.pop()
    assert await walk(scene, RECORDINGS, built.user, size, roomId=foreign) == []
    assert await walk(scene, RECORDINGS, None, size, roomId=foreign) == [built.recording_of[foreign]]


async def test_ownership_that_passes_on_takes_the_recordings_along(scene: Scene) -> None:
    built = await house(scene, "room_manager")
    await call(scene, "PUT", f"/api/v1/users/{built.user.user_id}/role", json={"role": "room_member"})
    now_a_member = replace(built.user, role="room_member")
    rooms = set(await walk(scene, ROOMS, now_a_member, 2)) & built.everything
    assert rooms == built.joined | built.joined_blind | built.open
    recordings = set(await walk(scene, RECORDINGS, now_a_member, 2)) & set(built.recording_of.values())
    assert recordings == {built.recording_of[room] for room in built.joined | built.open}
