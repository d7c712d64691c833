"""Defaults and merges of a room's nested documents (contract 2.2.1, 2.2.5). Pure functions; inputs stay untouched."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from .ids import new_secret
from .model.encoding import DEFAULT_ENCODING, DEFAULT_LAYOUT
from .model.permissions import MODERATOR, SPEAKER, Permission, Permissions, Roles, overlay
from .model.room import (
    Access,
    AnonymousEntry,
    PartialAccess,
    PartialRole,
    PartialRoles,
    PartialRoomConfig,
    RoomConfig,
    Switch,
)


def default_config() -> RoomConfig:
    """Config of a room created without one."""
    return {
        "recording": {"enabled": True, "layout": DEFAULT_LAYOUT, "encoding": DEFAULT_ENCODING},
        "chat": {"enabled": True},
        "virtualBackground": {"enabled": True},
        "e2ee": {"enabled": False},
        "captions": {"enabled": True},
    }


def merge_config(current: RoomConfig, changes: PartialRoomConfig | None) -> RoomConfig:
    """`changes` laid over `current`; an encoding is replaced as a whole.

    End-to-end encryption switches recording off, silently."""
    given = changes or {}
    merged: RoomConfig = {
        "recording": {**current["recording"]},
        "chat": _switch(current["chat"], given.get("chat")),
        "virtualBackground": _switch(current["virtualBackground"], given.get("virtualBackground")),
        "e2ee": _switch(current["e2ee"], given.get("e2ee")),
        "captions": _switch(current["captions"], given.get("captions")),
    }
    recording = given.get("recording")
    if recording is not None:
        target = merged["recording"]
        target["enabled"] = recording.get("enabled", target["enabled"])
        target["layout"] = recording.get("layout", target["layout"])
        target["encoding"] = recording.get("encoding", target["encoding"])
    if merged["e2ee"]["enabled"]:
        merged["recording"]["enabled"] = False
    return merged


def default_roles() -> Roles:
    """The two roles with their default permissions."""
    return {
        "moderator": {"permissions": overlay(MODERATOR, None)},
        "speaker": {"permissions": overlay(SPEAKER, None)},
    }


def merge_roles(current: Roles, changes: PartialRoles | None) -> Roles:
    """`changes` laid over `current`, both roles always complete."""
    given = changes or {}
    return {
        "moderator": {"permissions": _permissions(current["moderator"]["permissions"], given.get("moderator"))},
        "speaker": {"permissions": _permissions(current["speaker"]["permissions"], given.get("speaker"))},
    }


def default_access() -> Access:
    """Access of a new room: the three links on, each with its own fresh secret, plain users kept out."""
    return {
        "anonymous": {
            "moderator": {"enabled": True, "secret": new_secret()},
            "speaker": {"enabled": True, "secret": new_secret()},
            "recording": {"enabled": True, "secret": new_secret()},
        },
        "user": {"enabled": False},
    }


def merge_access(current: Access, changes: PartialAccess | None) -> Access:
    """Flags change, secrets never do."""
    given = changes or {}
    anonymous = given.get("anonymous") or {}
    stored = current["anonymous"]
    return {
        "anonymous": {
            "moderator": _entry(stored["moderator"], anonymous.get("moderator")),
            "speaker": _entry(stored["speaker"], anonymous.get("speaker")),
            "recording": _entry(stored["recording"], anonymous.get("recording")),
        },
        "user": _switch(current["user"], given.get("user")),
    }


def _switch(current: Switch, change: Switch | None) -> Switch:
    return {"enabled": change["enabled"] if change and "enabled" in change else current["enabled"]}


def _entry(current: AnonymousEntry, change: Switch | None) -> AnonymousEntry:
    return {"enabled": _switch({"enabled": current["enabled"]}, change)["enabled"], "secret": current["secret"]}


def _permissions(current: Permissions, change: PartialRole | None) -> Permissions:
    if change is None:
        return overlay(current, None)
    return overlay(current, cast("Mapping[Permission, bool]", change["permissions"]))
