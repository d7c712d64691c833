"""Disk, clock, codecs, fonts."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from typing import Final

import httpx
from sqlalchemy.exc import SQLAlchemyError

from meet.config import Settings
from meet.db import lookup
from meet.doctor.report import Finding, fail, ok, warn
from storage import S3Config

_TOKEN_TOLERANCE_S: Final = 5
_S3_TOLERANCE_S: Final = 15 * 60
"""S3 refuses requests that are older (RequestTimeTooSkewed)."""

_COMFORTABLE_BYTES: Final = 5_000_000_000
_NEEDED_BYTES: Final = 500_000_000
_ENCODERS: Final = {
    "libx264": "H.264 recordings",
    "aac": "AAC sound",
    "libopus": "Opus sound",
    "libvpx": "VP8 recordings",
}
_DECODERS: Final = {"vp8": "VP8 cameras", "h264": "H.264 cameras", "opus": "sound"}

_SCRIPTS: Final = {
    "Arabic": "عگ",
    "Hebrew": "ש",
    "Devanagari": "क",
    "Bengali": "ক",
    "Tamil": "த",
    "Thai": "ก",
    "Chinese": "汉漢",
    "Japanese": "かカ",
    "Korean": "한",
}
"""Of the scripts of the most speakers that the bundled font lacks, some letters."""


def check_disk(settings: Settings) -> Iterator[Finding]:
    """Room for the spool, and for recordings that are kept as files."""
    directory = next(path for path in (settings.data_dir, *settings.data_dir.parents) if path.exists())
    free = shutil.disk_usage(directory).free
    text = f"{free / 1e9:.1f} GB free in {directory}"
    if free < _NEEDED_BYTES:
        yield fail("disk", text, "free some space: recordings need about 2 GB an hour while they are being made")
    elif free < _COMFORTABLE_BYTES:
        yield warn("disk", text, "an hour of recording needs about 2 GB while it is being made")
    else:
        yield ok("disk", text)


def check_clock(settings: Settings) -> Iterator[Finding]:
    """Against the object store or the media server, if they are other machines; else against our own past."""
    advice = "synchronise the clock (systemd-timesyncd, chrony)"
    now = time.time()
    skew, other = _skew(settings)
    if other and skew is not None:
        shown = S3Config("", other).where
        text = f"{abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} {shown}"
        limit = _S3_TOLERANCE_S if other == settings.s3_service_endpoint else _TOKEN_TOLERANCE_S
        if abs(skew) > limit:
            yield fail("clock", text, f"{advice}; requests and tokens are refused when clocks differ that much")
        else:
            yield ok("clock", text if abs(skew) > 1 else f"agrees with {shown}")
        return
    newest = _newest(settings)
    if newest is not None and newest > now + 60:
        yield warn("clock", f"something was stored {newest - now:.0f} s in the future", advice)
    else:
        yield ok("clock", time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(now)))


def _skew(settings: Settings) -> tuple[float | None, str]:
    other = settings.s3_service_endpoint if settings.blob_storage_mode == "s3" else ""
    if not other and not settings.livekit_embedded:
        other = settings.livekit_url_private.replace("ws", "http", 1)
    if not other:
        return None, ""
    try:
        response = httpx.head(other, timeout=5)
        return time.time() - parsedate_to_datetime(response.headers["Date"]).timestamp(), other
    except (httpx.HTTPError, httpx.InvalidURL, KeyError, ValueError):
        return None, ""  # whether it answers at all is for the checks of store and media server


def _newest(settings: Settings) -> float | None:
    """Seconds since 1970 of the newest room or user; None when there is no database yet."""
    path = settings.data_dir / "meet.db"
    if not path.exists():
        return None
    query = "SELECT max(t) FROM (SELECT max(creation_date) t FROM rooms UNION SELECT max(registration_date) FROM users)"
    try:
        with lookup.read_only(path) as connection:
            newest = connection.exec_driver_sql(query).scalar()
            return newest / 1000 if newest is not None else None
    except SQLAlchemyError:  # told by the check of the database
        return None


def check_codecs() -> Iterator[Finding]:
    """What the recorder encodes and decodes with."""
    try:
        import av.codec
    except ImportError as error:
        yield fail("codecs", f"PyAV cannot be loaded: {error}", "install meet again (`make run` does)")
        return
    missing = [
        f"{name} ({use})"
        for mode, wanted in (("w", _ENCODERS), ("r", _DECODERS))
        for name, use in wanted.items()
        if not _has(name, mode)
    ]
    if missing:
        text = f"this FFmpeg lacks {', '.join(missing)}"
        yield fail(
            "codecs", text, "install PyAV from its wheels, which carry these codecs: pip install --force-reinstall av"
        )
    else:
        yield ok("codecs", f"PyAV {av.__version__}: {', '.join((*_ENCODERS, *_DECODERS))}")


def _has(name: str, mode: str) -> bool:
    import av.codec

    try:
        av.codec.Codec(name, "w" if mode == "w" else "r")
    except av.codec.codec.UnknownCodecError:
        return False
    return True


def check_fonts() -> Iterator[Finding]:
    """Scripts in which names can be drawn into recordings."""
    from meet.recorder.composer import text

    missing = [script for script, letters in _SCRIPTS.items() if not text.covered(letters)]
    if missing:
        yield warn(
            "fonts",
            f"no font has {', '.join(missing)}: such names are boxes in recordings",
            "apt install fonts-noto-core fonts-noto-cjk, or put fonts below /usr/local/share/fonts",
        )
    else:
        yield ok("fonts", "names can be drawn in all common scripts")
