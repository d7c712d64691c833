"""Storage keys of what is recorded: the caller's path with LiveKit's placeholders filled in."""

from __future__ import annotations

import datetime
import re
from typing import Final

from livekit.protocol import egress as api

from meet.media.twirp.errors import TwirpError

_MAX_KEY: Final = 900
_UNSAFE: Final = re.compile(r"[\x00-\x1f\x7f\\]")


def storage_key(path: str, ending: str, now: datetime.datetime, **fields: str) -> str:
    """`path` with `{name}` for each of the fields, `{time}` and `{utc}` filled in, and `ending` unless it has it.

    Raises invalid_argument for a path that would lead elsewhere."""
    filled = {
        **{name: value.replace("/", "_") for name, value in fields.items()},
        "time": now.strftime("%Y-%m-%dT%H%M%S"),
        "utc": now.strftime("%Y%m%d%H%M%S") + f"{now.microsecond // 1000:03}",
    }
    for name, value in filled.items():
        path = path.replace(f"{{{name}}}", value)
    key = path if path.endswith(ending) else f"{path}{ending}"
    parts = key.split("/")
    if len(key.encode()) > _MAX_KEY or _UNSAFE.search(key) or any(part in ("", ".", "..") for part in parts):
        raise TwirpError("invalid_argument", "filepath must be a relative path without '..'")
    return key


def check_own_storage(output: api.EncodedFileOutput | api.DirectFileOutput) -> None:
    """Raise invalid_argument for a file that is to go to other storage than this server's."""
    if output.WhichOneof("output") is not None:
        raise TwirpError(
            "invalid_argument", "files go to this server's own storage; leave s3, gcp, azure and aliOSS out"
        )


def mp4_key(output: api.EncodedFileOutput, default: str, now: datetime.datetime, **fields: str) -> str:
    """For what is composed. default: the path where the caller gives none."""
    check_own_storage(output)
    if int(output.file_type) not in (api.EncodedFileType.DEFAULT_FILETYPE, api.EncodedFileType.MP4):
        raise TwirpError("unimplemented", "only MP4 files are available")
    return storage_key(output.filepath or default, ".mp4", now, **fields)
