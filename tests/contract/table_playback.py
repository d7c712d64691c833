"""Recordings by their fragments: our own operations for players."""

from __future__ import annotations

from typing import cast

from meet.fragments.boxes import box
from meet.fragments.index import FragmentIndex
from meet.fragments.stream import header
from storage import BlobStore
from storage.keys import index_key

from .table import Operation, Situation, Stage
from .table_recordings import (
    CONDITIONAL,
    READERS,
    SECRETS,
    file_lost,
    impossible,
    missing,
    now,
    of_the_bytes,
    store_away,
)
from .table_rooms import failing
from .world import MOVIE, Scene

ITEM = "/api/extra/v1/recordings/{recording}"
FIRST, LENGTH = 1_000, 9_000
_MVHD = box(b"mvhd", bytes(12) + (1_000).to_bytes(4) + bytes(84))
INDEX = FragmentIndex(
    size=len(MOVIE),
    init_at=44,
    init=box(b"ftyp", b"iso5") + box(b"moov", _MVHD, box(b"mvex", box(b"trex", bytes(24)))),
    first=FIRST,
    begin=0,
    track=1,
    timescale=1_000,
    fragments=((4_000, 4_000), (LENGTH - 4_000, 2_500)),
)
"""As if bytes 1000 to 9999 of the movie were two fragments."""
STREAM = header(INDEX) + MOVIE[FIRST : FIRST + LENGTH]


async def indexed(scene: Scene, index: FragmentIndex = INDEX) -> None:
    """The scene's recording has an index beside it."""
    recording = scene.recording or await scene.add_recording()
    file = scene.world.scratch / f"{recording.egress_id}.index"
    file.write_bytes(index.to_bytes())
    await cast(BlobStore, scene.world.blobs).put_file(index_key(recording.key), file, "application/json")
    file.unlink()


async def not_indexed(scene: Scene) -> None:
    await scene.add_recording()


NO_INDEX = Situation(
    "a file without index",
    Stage.STATE,
    409,
    not_indexed,
    error="Recording '{recording}' has no index of its fragments",
)


def _of_fragments(name: str, path: str, words: str, *more: Situation) -> Operation:
    return Operation(
        name,
        "GET",
        path,
        "KRAMBS",
        200,
        rights={**READERS, **SECRETS},
        recording="complete",
        validate_first=True,
        prepare=indexed,
        situations=(
            impossible(path),
            missing(path),
            now("active"),
            NO_INDEX,
            Situation(
                "a lost file",
                Stage.STATE,
                500,
                file_lost,
                error=f"Unexpected error while {words} recording '{{recording}}'",
            ),
            Situation("a store that is away", Stage.STATE, 503, store_away, error="Storage is not available"),
            failing(f"{words} recording '{{recording}}'"),
            *more,
        ),
    )


OPERATIONS = [
    _of_fragments("getRecordingPlaylist", f"{ITEM}/playlist.m3u8", "listing fragments of"),
    of_the_bytes("getPlaylistMedia", f"{ITEM}/media.mp4", "streaming"),
    _of_fragments(
        "getRecordingStream",
        f"{ITEM}/stream",
        "streaming fragments of",
        *CONDITIONAL,
        Situation("a range", Stage.STATE, 206, headers={"Range": "bytes=100-199"}),
        Situation(
            "a range behind the end",
            Stage.STATE,
            416,
            headers={"Range": f"bytes={len(STREAM)}-"},
            error=f"Recording '{{recording}}' range not satisfiable. File size: {len(STREAM)}",
        ),
    ),
]
