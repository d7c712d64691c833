"""Storage keys of what is recorded: the caller's path with LiveKit's placeholders filled in."""

from __future__ import annotations

import datetime
import re
from typing import Any, Final

from livekit.protocol import egress as api

from meet.media.twirp.egress_model import Container, Only
from meet.media.twirp.errors import TwirpError

_MAX_KEY: Final = 900
_ENDINGS: Final = (".mp4", ".m4a", ".ogg")
"""Those that tell which container is wanted."""
_WRONG: Final = (*_ENDINGS, ".webm")
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


def named(path: str, default: str) -> str:
    """The path, or the default name in it when it is a folder (or none at all), as LiveKit's egress has it."""
    return f"{path}{default}" if not path or path.endswith("/") else path


def check_own_storage(output: api.EncodedFileOutput | api.DirectFileOutput) -> None:
    """Raise invalid_argument for a file that is to go to other storage than this server's."""
    if output.WhichOneof("output") is not None:
        raise TwirpError(
            "invalid_argument", "files go to this server's own storage; leave s3, gcp, azure and aliOSS out"
        )


def composed_file(
    output: api.EncodedFileOutput,
    default: str,
    now: datetime.datetime,
    *,
    part: Only | None,
    encoding: str | dict[str, Any],
    **fields: str,
) -> tuple[str, Container | None]:
    """Storage key and container of what is composed. default: the name where the caller gives none.

    Without a file type the name decides, or else the codec: Opus alone goes into OGG, anything else into MP4. Another
    of these endings is replaced. Raises invalid_argument, or unimplemented for what this server cannot do."""
    check_own_storage(output)
    path, wanted = named(output.filepath, default), int(output.file_type)
    codec = encoding["audio"]["codec"] if isinstance(encoding, dict) else ""
    if wanted == api.EncodedFileType.DEFAULT_FILETYPE:
        ogg = part == "audio" and (path.endswith(".ogg") or (codec == "OPUS" and not path.endswith(_ENDINGS)))
    elif wanted in (api.EncodedFileType.MP4, api.EncodedFileType.OGG):
        ogg = wanted == int(api.EncodedFileType.OGG)
    else:
        raise TwirpError("unimplemented", "only MP4 and OGG files are available")
    if ogg and (part != "audio" or codec in ("AAC", "AC_MP3")):
        raise TwirpError("invalid_argument", "an OGG file holds Opus alone: it needs audio_only, and no other codec")
    endings = (".ogg",) if ogg else (".mp4", ".m4a") if part == "audio" else (".mp4",)
    ending = next((ending for ending in endings if path.endswith(ending)), endings[0])
    for other in _WRONG:
        path = path.removesuffix(other) if other not in endings else path
    return storage_key(path, ending, now, **fields), "ogg" if ogg else None
