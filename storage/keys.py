"""Layout of keys: `<subbucket>/recordings/<roomId>/<filename>` (contract 4.1), the same in files and buckets."""

from __future__ import annotations

import unicodedata

from .errors import InvalidKey

MAX_KEY_BYTES = 1024
MAX_SEGMENT_BYTES = 255


def recording_key(subbucket: str, room_id: str, filename: str) -> str:
    """Key of a finished recording. An empty `subbucket` puts `recordings/` at the top.

    Raises InvalidKey when a part would change the number of segments.
    """
    for part in (room_id, filename):
        if "/" in part:
            raise InvalidKey("A room id or file name in a storage key must not contain a slash.")
    segments = [part for part in subbucket.split("/") if part]
    return validate("/".join([*segments, "recordings", room_id, filename]))


def index_key(key: str) -> str:
    """Where the index of a recording's fragments is: beside it, a few kilobytes that go when it goes.

    Raises InvalidKey for a key too long to have something beside it."""
    return validate(f"{key}.index")


def validate(key: str) -> str:
    """The key itself when it is a safe relative path of visible names; raises InvalidKey otherwise.

    Refused: empty or absolute keys, `.` and `..`, backslashes, control characters, a leading dot in the first
    segment (the filesystem store keeps its own folders there), segments over 255 bytes, keys over 1024.
    """
    try:
        encoded = key.encode("utf-8")
    except UnicodeEncodeError as error:
        raise InvalidKey("A storage key must be valid Unicode.") from error
    if not encoded or len(encoded) > MAX_KEY_BYTES:
        raise InvalidKey(f"A storage key has 1 to {MAX_KEY_BYTES} bytes.")
    if "\\" in key or any(unicodedata.category(char) == "Cc" for char in key):
        raise InvalidKey("A storage key must not contain backslashes or control characters.")
    segments = key.split("/")
    if any(part in ("", ".", "..") or len(part.encode()) > MAX_SEGMENT_BYTES for part in segments):
        raise InvalidKey("A storage key must be a relative path without empty, '.', '..' or overlong segments.")
    if segments[0].startswith("."):
        raise InvalidKey("A storage key must not begin with a dot.")
    return key
