"""All tracks of a journal as files, and a manifest that puts them on one timeline."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import structlog

from meet.recorder.composer.clock import SenderClock, TrackClock
from meet.recorder.journal.records import Absence, ClockReport, Frame, Mute, Person, Record, Resume, Stop, Track
from meet.recorder.journal.summary import Summary
from meet.recorder.tracks.file import TrackFile, UnknownCodec

log = structlog.get_logger(__name__)

MANIFEST: Final = "manifest.json"
_UNSAFE: Final = re.compile(r"[^\w.-]+")
_MAX_NAME: Final = 60


@dataclass(eq=False)
class _Open:
    info: Track
    clock: TrackClock
    file: TrackFile
    mutes: list[dict[str, Any]]


def _stem(info: Track) -> str:
    who = _UNSAFE.sub("_", info.identity)[:_MAX_NAME].strip("._") or "nobody"
    return f"{info.track:03}-{who}-{info.source or info.media}"


def export(records: Iterable[Record], directory: Path, on_time: Callable[[int], None] | None = None) -> dict[str, Any]:
    """Write every track and the manifest into `directory`, which must exist; returns the manifest.

    Offsets are seconds from the beginning of the composite, without pauses: those are cut out of every track, too, so a
    track laid at its offset stays beside the composite over every cut. A track of which nothing could be decoded has no
    file.
    on_time: told the journal time (µs) reached. Raises OSError, av.FFmpegError.
    """
    senders: dict[str, SenderClock] = {}
    tracks: dict[int, _Open] = {}
    names: dict[str, str] = {}
    end, past, cuts = 0, Summary(), list[dict[str, Any]]()
    try:
        for record in records:
            end = max(end, record.at)
            was_paused = past.paused_at
            past.take(record)
            if on_time is not None:
                on_time(record.at)
            match record:
                case Track():
                    _open(record, directory, senders, tracks)
                    names.setdefault(record.identity, record.name)
                case Person(present=True):
                    names[record.identity] = record.name
                case Frame() if (track := tracks.get(record.track)) is not None:
                    track.clock.arrived(record.rtp, record.at)
                    track.file.push(record, past.paused_us)
                case ClockReport() if (track := tracks.get(record.track)) is not None:
                    track.clock.report(record.ntp, record.rtp, record.at)
                case Mute() if (track := tracks.get(record.track)) is not None:
                    track.mutes.append({"at_s": _recorded(record.at, past), "muted": record.muted})
                case Resume() if was_paused and past.begun:
                    at = max(was_paused, past.begin_at)
                    away = max(record.at - at, 0)
                    cuts.append({"at_s": at - (past.paused_us - away), "paused_s": _seconds(away)})
                    for track in tracks.values():
                        track.clock.paused(away)
                case Absence() if cuts:
                    cuts[-1]["absent"] = True
                case Stop():
                    end = record.at
                    break
    finally:
        for track in tracks.values():
            track.file.close()
    at_end, end = past.ended_paused_us(end), _recorded(end, past)
    if at_end:
        cuts.append({"at_s": end, "paused_s": _seconds(at_end)})
    zero = past.begin_at or end
    manifest = {
        "version": 1,
        "duration_s": _seconds(end - zero),
        "cuts": [{**cut, "at_s": _seconds(cut["at_s"] - zero)} for cut in cuts],
        "participants": [{"identity": identity, "name": name} for identity, name in names.items()],
        "tracks": [_entry(track, zero) for track in tracks.values() if track.file.first_at is not None],
    }
    (directory / MANIFEST).write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n")
    return manifest


def _open(info: Track, directory: Path, senders: dict[str, SenderClock], tracks: dict[int, _Open]) -> None:
    if info.track in tracks:
        tracks[info.track].info = info
        return
    clock = TrackClock(info.clock_rate, senders.setdefault(info.identity or info.sid, SenderClock()))
    try:
        tracks[info.track] = _Open(info, clock, TrackFile(directory / _stem(info), info, clock), [])
    except UnknownCodec:
        log.error("track_codec_unsupported", sid=info.sid, codec=info.codec)


def _entry(track: _Open, zero: int) -> dict[str, Any]:
    info, file = track.info, track.file
    assert file.first_at is not None
    return {
        "file": file.path.name,
        "sid": info.sid,
        "identity": info.identity,
        "name": info.name,
        "kind": info.media,
        "source": info.source,
        "codec": info.codec.lower(),
        "offset_s": _seconds(file.first_at - zero),
        "duration_s": _seconds(file.last_at - file.first_at),
        "frames": file.frames,
        "gaps": file.gaps,
        "mutes": [{**mute, "at_s": _seconds(mute["at_s"] - zero)} for mute in track.mutes],
    }


def _recorded(at: int, past: Summary) -> int:
    """A time of the journal without the pauses before it; during one, it stands still."""
    return min(at, past.paused_at or at) - past.paused_us


def _seconds(us: int) -> float:
    return round(us / 1_000_000, 6)
