"""Users and room members that a scene needs, made anew so that scenes do not meet."""

from __future__ import annotations

import itertools
import secrets

from meet.core.model.member import NewMember
from meet.core.model.room import RoomMember
from meet.core.model.user import User, UserRole

from .world import Scene

_numbers = itertools.count(1)
_run = secrets.token_hex(3)


async def add_user(scene: Scene, role: UserRole = "room_member", name: str = "Person") -> User:
    """A user nobody else knows, straight into the database; `{person}` in paths is their id."""
    now = scene.world.clock.now_ms()
    user = User(
        user_id=f"p_{_run}_{next(_numbers)}",
        name=name,
        role=role,
        registration_date=now,
        role_updated_at=now,
        password_hash="",
    )
    assert await scene.world.repositories.users.add(user)
    scene.variables["person"] = user.user_id
    return user


async def add_member(scene: Scene, new: NewMember, room_id: str | None = None) -> RoomMember:
    """A member of the scene's room, added by the root admin; `{someone}` in paths is their id."""
    admin = await scene.world.core.auth.by_access_token(scene.world.user_token("admin"))
    member = await scene.world.core.members.create(admin, room_id or scene.room.room_id, new)
    scene.variables["someone"] = member.member_id
    return member


async def fresh(scene: Scene) -> None:
    """`{fresh}` is an id that nobody has."""
    scene.variables["fresh"] = f"p_{_run}_{next(_numbers)}"


async def person(scene: Scene) -> None:
    await add_user(scene)


async def guest(scene: Scene) -> None:
    await add_member(scene, NewMember(name="Ana", base_role="speaker"))


async def person_and_member(scene: Scene) -> None:
    user = await add_user(scene)
    await add_member(scene, NewMember(user_id=user.user_id, base_role="speaker"))
