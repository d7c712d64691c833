"""The two spellings of permissions: OpenVidu Meet 3.8's `can*`, and 3.9's `moduleAction`.

`NAMES` is the only place where they meet. The domain, its tables and everything in between know the first; documents
are respelled where they leave the server, and requests where they enter it. `Mode` is the setting `MEET_MODE`.

One old name became three permissions that can be granted apart; the domain knows those three, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal, TypeAlias

from .model.permissions import RETRIEVAL, Permission

Mode: TypeAlias = Literal["3.8.0", "compatibility", "3.9.0"]
"""Which names requests may use and answers carry: the old ones, both, or the new ones."""

NAMES: Final[Mapping[Permission, tuple[str, ...]]] = {
    "canRecord": ("recordingControl",),
    "canRetrieveRecordings": RETRIEVAL,
    "canDeleteRecordings": ("recordingDelete",),
    "canJoinMeeting": ("meetingJoin",),
    "canShareAccessLinks": ("roomShareAccessLinks",),
    "canMakeModerator": ("participantPromote",),
    "canKickParticipants": ("participantKick",),
    "canEndMeeting": ("meetingEnd",),
    "canPublishVideo": ("mediaPublishVideo",),
    "canPublishAudio": ("mediaPublishAudio",),
    "canShareScreen": ("mediaShareScreen",),
    "canReadChat": ("chatRead",),
    "canWriteChat": ("chatWrite",),
    "canChangeVirtualBackground": ("mediaChangeVirtualBackground",),
}
"""Old name -> what replaces it."""

_HOLDERS: Final = frozenset({"permissions", "customPermissions", "effectivePermissions", "originalPermissions"})


class Spelling:
    """How permissions are written in what leaves the server."""

    def __init__(self, mode: Mode = "3.8.0") -> None:
        self.mode: Final = mode
        self.plain: Final = mode == "3.8.0"
        """True when documents stay as the domain writes them, but for parts that 3.8 has no names for."""

    def document(self, document: Any) -> Any:
        """An answer or a webhook with every permission map in it, at any depth, in this mode's names."""
        return _respelled(document, self.mode)

    def for_media(self, document: Any) -> Any:
        """Metadata of tokens, participants and media rooms: the old names always, since clients of all ages read it."""
        return document if self.plain else _respelled(document, "compatibility")


def contradictions(given: Mapping[str, object]) -> list[tuple[str, str]]:
    """(name, message) for each name in a permission map that cannot be meant together with the others.

    `given` may hold either spelling, or both; values that are not booleans are somebody else's business."""
    found: list[tuple[str, str]] = []
    for old, names in NAMES.items():
        stated = {name: given[name] for name in names if isinstance(given.get(name), bool)}
        meant = given.get(old)
        if not isinstance(meant, bool) or (len(stated) == len(names) and meant is all(stated.values())):
            continue  # nothing to contradict, or what an answer of ours says: the old name for all of the new ones
        found += [(name, f"{name} contradicts {old}") for name, value in stated.items() if value is not meant]
    return found


def understood(given: Mapping[str, bool]) -> dict[str, bool]:
    """A permission map without contradictions in the domain's spelling."""
    result: dict[str, bool] = {}
    for old, names in NAMES.items():
        stated = {name: given[name] for name in names if name in given}
        if old in given:
            stated = dict.fromkeys(names, given[old]) | stated
        if len(stated) == len(names):
            result[old] = all(stated.values())
        if len(names) > 1 and (len(stated) < len(names) or len(set(stated.values())) > 1):
            result |= stated  # only some of the parts, or parts that differ
    return result


def _respelled(node: Any, mode: Mode) -> Any:
    if isinstance(node, dict):
        return {
            key: _named(value, mode) if key in _HOLDERS and isinstance(value, dict) else _respelled(value, mode)
            for key, value in node.items()
        }
    return [_respelled(item, mode) for item in node] if isinstance(node, list) else node


def _named(held: Mapping[Any, bool], mode: Mode) -> dict[str, bool]:
    parts = {name: value for name, value in held.items() if name in RETRIEVAL}
    whole = {name: value for name, value in held.items() if name not in RETRIEVAL}
    if mode == "3.8.0":
        return whole
    named = {name: value for permission, value in whole.items() for name in NAMES[permission]} | parts
    return {**named, **whole} if mode == "compatibility" else named
