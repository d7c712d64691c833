"""Rules of the documents that JSON Schema cannot say, or not in the contract's words.

`x-transform` functions return the value to use and raise `Invalid` to refuse it; `x-validator` functions get the value
with the issues the schema found and return the issues to report (see `meet.http.schema`).
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Mapping
from typing import Any

from meet.core.ids import split_recording_id
from meet.core.model.encoding import PRESETS
from meet.http import Invalid, Issue
from meet.http.messages import type_name

LONGEST_ROOM_ID = 100
_SHORTEST_LIFE_MS = 3_600_000

_FOREIGN = re.compile(r"[^A-Za-z0-9_-]")
_RANGES = re.compile(r"[ \t,]*(\d+-\d*|-\d+)([ \t]*,([ \t]*(\d+-\d*|-\d+))?)*[ \t]*", re.ASCII)
_VIDEO_CODECS = ("DEFAULT_VC", "H264_BASELINE", "H264_MAIN", "H264_HIGH", "VP8")
_AUDIO_CODECS = ("DEFAULT_AC", "OPUS", "AAC", "AC_MP3")
_VIDEO: Mapping[str, tuple[str, ...] | None] = {
    "width": None,
    "height": None,
    "framerate": None,
    "codec": _VIDEO_CODECS,
    "bitrate": None,
    "keyFrameInterval": None,
    "depth": None,
}
_AUDIO: Mapping[str, tuple[str, ...] | None] = {"codec": _AUDIO_CODECS, "bitrate": None, "frequency": None}


def room_id(value: str) -> str:
    """The id without the characters no room id has (contract 2.0.6). The length limit is the schema's."""
    if not value:
        raise Invalid("roomId is required and cannot be empty")
    sanitised = _FOREIGN.sub("", value)
    if not sanitised:
        raise Invalid("roomId cannot be empty after sanitization")
    return sanitised


def room_ids(values: list[str]) -> list[str]:
    """Sanitised, without repeats and without what can be no room id (contract 2.0.7)."""
    sanitised = (_FOREIGN.sub("", value) for value in values if len(value) <= LONGEST_ROOM_ID)
    unique = list(dict.fromkeys(value for value in sanitised if value))
    if not unique:
        raise Invalid("At least one valid roomId is required after sanitization")
    return unique


def recording_id(value: str) -> str:
    """The trimmed id with its room part sanitised where that leaves something (contract 2.0.6)."""
    trimmed = value.strip()
    if not trimmed:
        raise Invalid("recordingId is required and cannot be empty")
    parts = split_recording_id(trimmed)
    if parts is None:
        raise Invalid("recordingId does not follow the expected format")
    room = _FOREIGN.sub("", parts.room_id) or parts.room_id
    return f"{room}--{parts.egress_id}--{parts.uid}"


def byte_ranges(value: str) -> str:
    """A Range header as it is. Refuses what is no range at all; other units may be ignored (RFC 9110 14.2)."""
    unit, given, ranges = value.partition("=")
    if not given or (unit.strip().lower() == "bytes" and _RANGES.fullmatch(ranges) is None):
        raise Invalid("Invalid range header format. Expected: bytes=start-end")
    return value


def auto_deletion_date(value: Any, issues: list[Issue]) -> Iterable[Issue]:
    """A room lives for an hour at least (contract 2.2.1); said beside what else is wrong with the number."""
    yield from issues
    if any(issue.fatal for issue in issues):
        return
    if value < time.time() * 1000 + _SHORTEST_LIFE_MS:
        yield Issue((), "autoDeletionDate must be at least 1h in the future")


def auto_deletion_policy(value: Any, issues: list[Issue]) -> Iterable[Issue]:
    """An automatic deletion has nobody to tell that it failed (contract 2.2.1)."""
    yield from issues
    if any(issue.fatal for issue in issues):
        return
    for name in ("withMeeting", "withRecordings"):
        if value[name] == "fail":
            yield Issue((name,), f"FAIL policy is not allowed for {name} auto-deletion policy")


def one_identity(value: Any, issues: list[Issue]) -> Iterable[Issue]:
    """A member is a registered user or a named guest (contract 2.3.1)."""
    yield from issues
    if any(issue.fatal for issue in issues):
        return
    if bool(value.get("userId")) == bool(value.get("name")):
        yield Issue(("userId",), "Either userId or name must be provided, but not both")


def encoding(value: Any, _issues: list[Issue]) -> Iterable[Issue]:
    """What is wrong with an encoding, in the contract's words (Appendix B) instead of the schema's."""
    if isinstance(value, str):
        if value not in PRESETS:
            yield Issue((), f"Invalid encoding preset. Must be one of: {', '.join(PRESETS)}", "enum")
        return
    if not isinstance(value, dict | list):
        yield Issue((), "Encoding must be either a preset string or an encoding configuration object", "type")
        return
    # An array is an object without these two, as everywhere in JavaScript.
    video, audio = (value.get("video"), value.get("audio")) if isinstance(value, dict) else (None, None)
    if not _truthy(video) or not _truthy(audio):
        yield Issue((), "Both video and audio configuration must be provided when using encoding options", "required")
        return
    shapeless = [
        Issue((), f"{kind} encoding must be a valid object", "type")
        for kind, part in (("Video", video), ("Audio", audio))
        if not isinstance(part, dict)
    ]
    if shapeless:
        yield shapeless[0]
        return
    yield from _missing("video", video, _VIDEO)
    yield from _missing("audio", audio, _AUDIO)
    yield from _wrong("video", video, _VIDEO)
    yield from _wrong("audio", audio, _AUDIO)


def _truthy(value: Any) -> bool:
    """As JavaScript sees it: empty arrays and objects are true."""
    return bool(value) or isinstance(value, dict | list)


def _missing(name: str, part: Any, rules: Mapping[str, Any]) -> Iterable[Issue]:
    absent = [key for key in rules if key not in part]
    if absent:
        text = f"When {name} encoding is provided, required fields are missing: {', '.join(absent)}"
        yield Issue((name,), text, "required")


def _wrong(name: str, part: Any, rules: Mapping[str, tuple[str, ...] | None]) -> Iterable[Issue]:
    for key, options in rules.items():
        path = (name, key)
        if key not in part:
            yield Issue(path, "Required", "required")
            continue
        value = part[key]
        if options is not None:
            yield from _not_one_of(path, value, options)
        elif isinstance(value, bool) or not isinstance(value, int | float):
            yield Issue(path, f"Expected number, received {type_name(value)}", "type")
        elif value <= 0:
            yield Issue(path, f"{name.capitalize()} {key} must be a positive number", "exclusiveMinimum")


def _not_one_of(path: tuple[str, str], value: Any, options: tuple[str, ...]) -> Iterable[Issue]:
    quoted = " | ".join(f"'{option}'" for option in options)
    if not isinstance(value, str):
        yield Issue(path, f"Expected {quoted}, received {type_name(value)}", "type")
    elif value not in options:
        yield Issue(path, f"Invalid enum value. Expected {quoted}, received '{value}'", "enum")
