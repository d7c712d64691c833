"""The fourteen permissions of a room member and the defaults of the two roles (contract 3.3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias, TypedDict

Permission: TypeAlias = Literal[
    "canRecord",
    "canRetrieveRecordings",
    "canDeleteRecordings",
    "canJoinMeeting",
    "canShareAccessLinks",
    "canMakeModerator",
    "canKickParticipants",
    "canEndMeeting",
    "canPublishVideo",
    "canPublishAudio",
    "canShareScreen",
    "canReadChat",
    "canWriteChat",
    "canChangeVirtualBackground",
]
Permissions: TypeAlias = dict[Permission, bool]
"""Complete: all fourteen keys, in contract order."""
RoleName: TypeAlias = Literal["moderator", "speaker"]


class RolePermissions(TypedDict):
    """One entry of a room's roles."""

    permissions: Permissions


class Roles(TypedDict):
    """A room's roles, always complete."""

    moderator: RolePermissions
    speaker: RolePermissions


MODERATOR: Final[Mapping[Permission, bool]] = {
    "canRecord": True,
    "canRetrieveRecordings": True,
    "canDeleteRecordings": True,
    "canJoinMeeting": True,
    "canShareAccessLinks": True,
    "canMakeModerator": True,
    "canKickParticipants": True,
    "canEndMeeting": True,
    "canPublishVideo": True,
    "canPublishAudio": True,
    "canShareScreen": True,
    "canReadChat": True,
    "canWriteChat": True,
    "canChangeVirtualBackground": True,
}
SPEAKER: Final[Mapping[Permission, bool]] = {
    **MODERATOR,
    "canRecord": False,
    "canDeleteRecordings": False,
    "canShareAccessLinks": False,
    "canMakeModerator": False,
    "canKickParticipants": False,
    "canEndMeeting": False,
}
ALL: Final[Mapping[Permission, bool]] = MODERATOR
NONE: Final[Mapping[Permission, bool]] = dict.fromkeys(MODERATOR, False)
RECORDING_LINK: Final[Mapping[Permission, bool]] = {**NONE, "canRetrieveRecordings": True}
PERMISSIONS: Final[tuple[Permission, ...]] = tuple(MODERATOR)


def overlay(base: Mapping[Permission, bool], changes: Mapping[Permission, bool] | None) -> Permissions:
    """`base` with `changes` on top, in contract order."""
    extra = changes or {}
    return {name: extra.get(name, base[name]) for name in PERMISSIONS}


def union(first: Mapping[Permission, bool], second: Mapping[Permission, bool]) -> Permissions:
    """What either of the two allows."""
    return {name: first[name] or second[name] for name in PERMISSIONS}


def covers(held: Mapping[Permission, bool], wanted: Mapping[Permission, bool]) -> bool:
    """True when `held` allows everything that `wanted` allows."""
    return all(held[name] for name in PERMISSIONS if wanted[name])
