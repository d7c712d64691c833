"""The file of a recording that is one track as it came: copied from the journal when it is over, not composed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import structlog

from meet.recorder.composer.profile import Profile
from meet.recorder.composer.result import Aborted, Result
from meet.recorder.composing import Composing, with_damage
from meet.recorder.journal.reader import JournalReader
from meet.recorder.jsonfile import read_object
from meet.recorder.tracks.extract import extract

log = structlog.get_logger(__name__)

_TYPES: Final = {".mp4": "video/mp4", ".webm": "video/webm", ".ogg": "audio/ogg"}


class Extracting(Composing):
    """As Composing; it has nothing to do while the track is being received. key: the file's, whose ending it takes."""

    def __init__(
        self,
        spool: Path,
        profile: Profile,
        sids: frozenset[str],
        key: str,
        *,
        on_ready: Callable[[], None],
        on_tiles: Callable[[dict[str, tuple[int, int]]], None],
    ) -> None:
        super().__init__(spool, profile, on_ready=on_ready, on_tiles=on_tiles)
        self._sids = sids
        self.path = self.path.with_suffix(Path(key).suffix)

    @property
    def content_type(self) -> str:
        return _TYPES[self.path.suffix]

    def forget(self) -> None:
        self.path.unlink(missing_ok=True)

    def _compose(self, reader: JournalReader, now: Callable[[], int] | None) -> Result:
        # On the composer's thread. From the beginning every time: it is little more than copying.
        self.forget()  # it may be shared with the storage: never write into it
        made = extract(self._watched(reader, whole=True), self.path.with_suffix(""), self._sids, self._check)
        return with_damage(made, reader)

    def _check(self) -> None:
        if self._abort.is_set():
            raise Aborted


def composing_of(
    spool: Path,
    profile: Profile,
    *,
    on_ready: Callable[[], None],
    on_tiles: Callable[[dict[str, tuple[int, int]]], None],
) -> Composing:
    """What makes the file that the spool's request.json asks for."""
    request = read_object(spool / "request.json") or {}
    tracks = request.get("tracks")
    if not isinstance(tracks, dict) or tracks.get("direct") is not True:
        return Composing(spool, profile, on_ready=on_ready, on_tiles=on_tiles)
    sids = frozenset(sid for sid in (tracks.get("video"), tracks.get("audio")) if sid)
    return Extracting(spool, profile, sids, str(request["key"]), on_ready=on_ready, on_tiles=on_tiles)
