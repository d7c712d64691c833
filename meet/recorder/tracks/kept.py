"""Journals that stayed in the spool after their recording was stored (`MEET_RECORDING_KEEP_TRACKS`)."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from meet.recorder import state
from meet.recorder.composer.profile import Profile
from meet.recorder.jsonfile import read_object

log = structlog.get_logger(__name__)


class NotKept(Exception):
    """There is no finished journal of this recording; `str()` is fit for the operator."""


@dataclass(frozen=True)
class KeptJournal:
    """A finished recording's journal. encoding: preset name or options object; only, container: as in EgressState."""

    egress_id: str
    directory: Path
    layout: str
    encoding: str | dict[str, Any]
    only: str | None = None
    container: str | None = None

    @classmethod
    def find(cls, spool: Path, recording: str) -> KeptJournal:
        """By recording id or egress id. Raises NotKept."""
        egress_id = next((part for part in recording.split("--") if part.startswith("EG_")), "")
        folder = spool / egress_id
        if not egress_id or "/" in egress_id or not (folder / "request.json").is_file():
            raise NotKept(f"{recording} is not in the spool {spool}")
        current = state.read(folder / "state.json")
        if current is None or not current.final:
            raise NotKept(f"{recording} is not finished yet")
        if not any((folder / "journal").glob("*.seg")):
            raise NotKept(f"the tracks of {recording} were not kept (MEET_RECORDING_KEEP_TRACKS)")
        layout = state.first_layout(folder / "request.json")
        return cls(egress_id, folder / "journal", layout, current.encoding, current.only, current.container)

    def profile(self, encoding: str | dict[str, Any] | None = None, *, audio_only: bool = False) -> Profile:
        """Of another composite, by default like that of the recording; one of sound alone stays that.

        Raises EncodingUnsupported, NotKept for sound that was not recorded."""
        if audio_only and self.only == "video":
            raise NotKept("there is no sound in this recording")
        only = "audio" if audio_only else self.only
        return Profile.of(encoding or self.encoding, only, None if encoding else self.container)


async def forget(spool: Path, keys: Collection[str]) -> None:
    """Delete the journals that files with these keys were made from; those of unfinished recordings stay."""
    if keys:
        await asyncio.to_thread(_forget, spool, frozenset(keys))


def _forget(spool: Path, keys: frozenset[str]) -> None:
    for journal in spool.glob("EG_*/journal"):
        try:
            key = str((read_object(journal.parent / "request.json") or {}).get("key"))
        except OSError:
            continue
        current = state.read(journal.parent / "state.json")
        if key in keys and current is not None and current.final:
            shutil.rmtree(journal, ignore_errors=True)
            log.info("kept_journal_deleted", egress_id=journal.parent.name)
