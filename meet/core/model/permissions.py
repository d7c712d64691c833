"""The fourteen permissions of a room member and the defaults of the two roles (contract 3.3).

One of them consists of three parts that OpenVidu Meet 3.9 grants apart (`RETRIEVAL`). A map of permissions names the
parts only where they differ, and then `canRetrieveRecordings` is what all of them allow; `holds` knows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, TypeAlias, TypedDict

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
    "recordingList",
    "recordingPlay",
    "recordingDownload",
]
Permissions: TypeAlias = dict[Permission, bool]
"""Complete: all fourteen keys, in contract order, and the three parts of one where they differ."""
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
RETRIEVAL: Final[tuple[Permission, ...]] = ("recordingList", "recordingPlay", "recordingDownload")
"""The parts of `canRetrieveRecordings`: to see which there are, to open and play one, to save one."""


def holds(held: Mapping[Permission, bool], permission: Permission) -> bool:
    """Whether a complete map allows something."""
    return held.get(permission, held["canRetrieveRecordings"]) if permission in RETRIEVAL else held[permission]


def overlay(base: Mapping[Permission, bool], changes: Mapping[Permission, bool] | None) -> Permissions:
    """`base` with `changes` on top, in contract order."""
    if not changes:
        return dict(base)
    whole = changes.get("canRetrieveRecordings")
    parts = [changes.get(part, holds(base, part) if whole is None else whole) for part in RETRIEVAL]
    return _joined({name: changes.get(name, base[name]) for name in PERMISSIONS}, parts)


def union(first: Mapping[Permission, bool], second: Mapping[Permission, bool]) -> Permissions:
    """What either of the two allows."""
    parts = [holds(first, part) or holds(second, part) for part in RETRIEVAL]
    return _joined({name: first[name] or second[name] for name in PERMISSIONS}, parts)


def covers(held: Mapping[Permission, bool], wanted: Mapping[Permission, bool]) -> bool:
    """True when `held` allows everything that `wanted` allows."""
    return all(holds(held, name) for name in (*PERMISSIONS, *RETRIEVAL) if holds(wanted, name))


def complete(flags: Mapping[Any, object]) -> Permissions | None:
    """The complete map that `flags` holds among other things, None when something is missing or is no flag."""
    if not all(isinstance(flags.get(name), bool) for name in PERMISSIONS):
        return None
    known: Permissions = {name: bool(flags[name]) for name in PERMISSIONS}
    given = [flags.get(part, known["canRetrieveRecordings"]) for part in RETRIEVAL]
    return _joined(known, [bool(part) for part in given]) if all(isinstance(part, bool) for part in given) else None


def _joined(flags: Permissions, parts: Sequence[bool]) -> Permissions:
    """`flags` with the parts of `canRetrieveRecordings`, which are only named where they differ."""
    flags["canRetrieveRecordings"] = all(parts)
    if any(parts) and not all(parts):
        flags.update(zip(RETRIEVAL, parts, strict=True))
    return flags
