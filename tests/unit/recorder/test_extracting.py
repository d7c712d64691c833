"""A recording that is one track: made from the journal, stored as what it is, failed when nothing came."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from meet.config import Settings
from meet.recorder import state
from meet.recorder.composer.profile import Profile
from meet.recorder.composer.result import Aborted
from meet.recorder.composing import Composing
from meet.recorder.extracting import Extracting, composing_of
from meet.recorder.finishing import Finishing
from meet.recorder.standing import Standing
from meet.recorder.state import EgressState
from tests.unit.recorder import synthetic
from tests.unit.recorder.synthetic import Source, meeting

PROFILE = Profile.of("H264_720P_30")


def spool(path: Path, tracks: dict[str, object] | None, seconds: float = 2.0) -> Path:
    """An entry whose journal has a microphone, TR_1."""
    path.mkdir(parents=True)
    request = {"egress_id": "EG_x", "room_name": "a", "key": "t/mic.ogg"} | ({"tracks": tracks} if tracks else {})
    (path / "request.json").write_text(json.dumps(request))
    sound = Source(synthetic.sound(4), media="audio", codec="opus")
    synthetic.write(path / "journal", meeting([sound], seconds))
    return path


def made(folder: Path) -> Composing:
    return composing_of(folder, PROFILE, on_ready=lambda: None, on_tiles=lambda _: None)


async def test_what_the_request_asks_for(tmp_path: Path) -> None:
    direct = made(spool(tmp_path / "direct", {"audio": "TR_1", "video": "", "direct": True}))
    assert isinstance(direct, Extracting)
    assert (direct.path.name, direct.content_type) == ("composite.ogg", "audio/ogg")
    for tracks in (None, {"audio": "TR_1", "video": "TR_2", "direct": False}):
        composed = made(spool(tmp_path / str(bool(tracks)), tracks))
        assert not isinstance(composed, Extracting)
        assert (composed.path.name, composed.content_type) == ("composite.mp4", "video/mp4")


async def test_made_again_after_a_crash_and_given_up_when_told(tmp_path: Path) -> None:
    folder = spool(tmp_path / "x", {"audio": "TR_1", "direct": True})
    first = await made(folder).finished()
    again = made(folder)
    (tmp_path / "stored").hardlink_to(again.path)
    before = (tmp_path / "stored").stat().st_mtime_ns
    assert (await again.finished()).frames == first.frames > 90
    assert (tmp_path / "stored").stat().st_mtime_ns == before, "what the storage shares is not written into"
    again.forget()
    assert not again.path.exists()
    again.abort()
    with pytest.raises(Aborted):
        await again.finished()


async def finished(tmp_path: Path, sid: str) -> EgressState:
    """The last state of an egress of this track."""
    folder = spool(tmp_path / "data" / "spool" / "EG_x", {"audio": sid, "direct": True})
    now = EgressState("EG_x", "a", "ending", "grid", "H264_1080P_30", "t/mic.ogg")
    state.write(folder / "state.json", now)
    standing = Standing(folder / "state.json", now, lambda _: None, lambda: None)
    composing = made(folder)
    settings = Settings.load(data_dir=tmp_path / "data")
    finishing = Finishing(settings, folder, PROFILE, standing, composing)
    assert await asyncio.wait_for(finishing.run(composing.finished(), ended_at_ms=5), 40) == 0
    await finishing.close()
    assert not (folder / "journal").exists()
    assert not list(folder.glob("composite.*"))
    return standing.now


async def test_stored_under_its_key_with_its_facts(tmp_path: Path) -> None:
    now = await finished(tmp_path, "TR_1")
    assert (now.status, now.error) == ("complete", None)
    stored = tmp_path / "data" / "storage" / "t" / "mic.ogg"
    assert stored.stat().st_size == now.size
    assert now.integrity is not None and now.integrity["size"] == now.size
    assert stored.read_bytes()[:4] == b"OggS"


async def test_a_track_that_never_came(tmp_path: Path) -> None:
    now = await finished(tmp_path, "TR_9")
    assert (now.status, now.error) == ("failed", "nothing was received of the track")
