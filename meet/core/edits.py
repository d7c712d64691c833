"""Edits at the same time: no change is lost without somebody being told (409).

Writes are read-modify-write inside one transaction, so two edits of different things both count. Two edits of the same
thing that overlap in time cannot both: whoever comes second finds a value that is neither what was there when the
request came nor what it wants (`overtaken`). Clients that read long before they write say which version they read
(`If-Match`, `outdated`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeAlias

import orjson

from .model.room import AnonymousAccess, Room, RoomStatus
from .model.user import User

Versions: TypeAlias = frozenset[str] | None
"""The versions a caller is willing to change; None for whatever there is."""


def version_of(state: object) -> str:
    """A short name for a state: equal states have the same one. For whatever orjson can write, dataclasses included.

    A room counts without the secrets of its links, which never change: versions go to people who must not know them,
    and 40 bits can be guessed from a hash."""
    told = _without_secrets(state) if isinstance(state, Room) else state
    return hashlib.sha1(orjson.dumps(told), usedforsecurity=False).hexdigest()[:16]


def user_version(user: User) -> str:
    """Of what can be edited of a user."""
    return version_of((user.user_id, user.name, user.role, user.role_updated_at))


def outdated(state: object, wanted: Versions) -> bool:
    """True when the caller asked for versions and this is none of them."""
    return wanted is not None and version_of(state) not in wanted


def overtaken(changes: Mapping[str, Any], before: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """True when something that `changes` sets is, by now, neither what it was `before` nor what it is to become."""
    for name, wanted in changes.items():
        was, found = before.get(name), now.get(name)
        if was == found:
            continue
        if isinstance(wanted, Mapping) and isinstance(was, Mapping) and isinstance(found, Mapping):
            if overtaken(wanted, was, found):
                return True
        elif found != wanted:
            return True
    return False


def status_overtaken(wanted: RoomStatus, before: Room, now: Room) -> bool:
    """`overtaken` for opening and closing. Meetings that begin or end in between are nobody's edit."""
    if "active_meeting" not in (before.status, now.status):
        return now.status not in (before.status, wanted)
    same_meeting = before.status == now.status
    arranged = "close" if wanted == "closed" else "none"
    return same_meeting and now.meeting_end_action not in (before.meeting_end_action, arranged)


def _without_secrets(room: Room) -> Room:
    links = room.access["anonymous"]
    told: AnonymousAccess = {
        "moderator": {**links["moderator"], "secret": ""},
        "speaker": {**links["speaker"], "secret": ""},
        "recording": {**links["recording"], "secret": ""},
    }
    return replace(room, access={**room.access, "anonymous": told})
