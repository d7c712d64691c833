"""Identifier and secret formats (contract 3.2 and 4.1). Everything random comes from the OS generator."""

from __future__ import annotations

import re
import secrets
import unicodedata
from dataclasses import dataclass

_SPACES_AND_HYPHENS = re.compile(r"[-\s]+")
_NOT_WORD = re.compile(r"[^a-z0-9_]")
_UNDERSCORES = re.compile(r"_+")
_UID = re.compile(r"[0-9a-f]{10}")


def slug(text: str, fallback: str) -> str:
    """Prefix of room ids and anonymous identities: NFD, lower case, `[a-z0-9_]` only; `fallback` if nothing is left."""
    lowered = unicodedata.normalize("NFD", text).lower()
    cleaned = _NOT_WORD.sub("", _SPACES_AND_HYPHENS.sub("_", lowered))
    return _UNDERSCORES.sub("_", cleaned).strip("_") or fallback


def new_room_id(room_name: str) -> str:
    """`<prefix>-<15 hex>`."""
    return f"{slug(room_name, 'room')}-{secrets.token_hex(8)[:15]}"


def new_identity(participant_name: str) -> str:
    """Identity of an anonymous participant: `<prefix>-<15 hex>`."""
    return f"{slug(participant_name, 'participant')}-{secrets.token_hex(8)[:15]}"


def new_secret() -> str:
    """Room and recording secrets: 10 hex characters."""
    return secrets.token_hex(5)


def new_guest_id() -> str:
    """A guest's member id, which is also their secret: `guest-` and 10 hex characters."""
    return f"guest-{secrets.token_hex(5)}"


def new_api_key() -> str:
    """`ovmeet-` and 32 characters."""
    return f"ovmeet-{secrets.token_hex(16)}"


def new_recording_uid() -> str:
    """The part that a recording's id, file name and object key share: 10 hex characters."""
    return secrets.token_hex(5)


def recording_id(room_id: str, egress_id: str, uid: str) -> str:
    """`<roomId>--<egressId>--<uid>`."""
    return f"{room_id}--{egress_id}--{uid}"


def recording_filename(room_id: str, uid: str, ending: str = ".mp4") -> str:
    """`<roomId>--<uid>.mp4`; sound alone is offered under another ending."""
    return f"{room_id}--{uid}{ending}"


def recording_key(prefix: str, room_id: str, uid: str) -> str:
    """Object key of a recording, whatever is in it: `<prefix>/recordings/<roomId>/<roomId>--<uid>.mp4`."""
    return f"{prefix}/recordings/{room_id}/{recording_filename(room_id, uid)}"


def uid_of_key(room_id: str, key: str) -> str | None:
    """The uid inside an object key of ours, or None when the key is not laid out by `recording_key`.

    Whatever its prefix: that may be configured anew while recordings under the old one are not finished."""
    _, found, name = f"/{key}".rpartition(f"/recordings/{room_id}/{room_id}--")
    uid = name.removesuffix(".mp4")
    return uid if found and _UID.fullmatch(uid) else None


@dataclass(frozen=True, slots=True)
class RecordingIdParts:
    """What a recording id says."""

    room_id: str
    egress_id: str
    uid: str


def split_recording_id(text: str) -> RecordingIdParts | None:
    """The parts of a recording id, or None when the text does not follow the format (contract 2.0.6)."""
    parts = text.split("--")
    if len(parts) != 3 or not all(parts):
        return None
    room_id, egress_id, uid = parts
    if not egress_id.startswith("EG_") or len(egress_id) <= 3:
        return None
    return RecordingIdParts(room_id, egress_id, uid)
