"""A disk that gives back other bytes than it got: the recording ends with all the rest, says so, and keeps them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from meet.config import Settings
from meet.recorder import finish, main, state
from meet.recorder.journal.records import MAGIC, Begin, Frame, Record, Track, encode
from meet.recorder.state import EgressState
from tests.support import media
from tests.unit.recorder import synthetic
from tests.unit.recorder.synthetic import Source, meeting
from tests.unit.recorder.test_cutoff import SMALL


@pytest.fixture
def spool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(main, "_LINGER_S", 0.0)  # there is nobody to be told
    spool = tmp_path / "spool" / "EG_x"
    (spool / "journal").mkdir(parents=True)
    request = {"egress_id": "EG_x", "room_name": "a", "key": "rec/a--x.mp4", "encoding": SMALL}
    (spool / "request.json").write_text(json.dumps(request))
    state.write(spool / "state.json", EgressState.from_request(request).advance("ending"))
    return spool


def write(spool: Path, records: list[Record], *damaged: int) -> None:
    data = [bytearray(encode(record)) for record in records]
    for index in damaged:
        data[index][-1] ^= 1
    (spool / "journal" / "000001.seg").write_bytes(MAGIC + b"".join(data))


def finished(spool: Path) -> EgressState:
    assert main.run(Settings.load(data_dir=spool.parents[1]), "EG_x") == 0
    found = state.read(spool / "state.json")
    assert found is not None
    return found


@pytest.mark.parametrize("codec", ["VP8", "H264"])
def test_one_wrong_bit_early_in_the_journal(spool: Path, monkeypatch: pytest.MonkeyPatch, codec: str) -> None:
    """Pictures go on, too, though there is no other key frame than the first: the loss is not the network's, so nobody
    has asked for one; what is missing is smeared until the picture has changed."""
    camera = Source(synthetic.video(codec, 6, keys_s=60), codec=codec)
    records = meeting([camera, Source(synthetic.sound(6), media="audio", codec="opus")], 5.0)
    videos = {r.track for r in records if isinstance(r, Track) and r.media == "video"}
    index = next(
        k for k, r in enumerate(records) if k > 50 and isinstance(r, Frame) and r.track in videos and not r.key
    )
    write(spool, records, index)
    done = finished(spool)
    assert done.status == "complete" and done.integrity is not None and done.duration_s == pytest.approx(5.0, abs=0.2)
    size = len(encode(records[index]))
    assert (done.integrity["damaged_records"], done.integrity["damaged_bytes"]) == (1, size)
    assert (done.integrity["video_gaps"], done.integrity["audio_gaps"]) == (1, 0)
    assert done.details == f"Complete; {size} bytes of the journal were damaged (places: 1); it is kept"
    assert (spool / "journal" / "000001.seg").exists()
    decoded = media.decode(spool.parents[1] / "storage" / "rec" / "a--x.mp4")
    assert [t for t in media.beeps(decoded) if t > 0.5] == pytest.approx([1.0, 2.0, 3.0, 4.0], abs=0.07)
    assert [round(t, 1) for t in media.flashes(decoded) if t > 0.95] == pytest.approx([1.0, 2.0, 3.0, 4.0], abs=0.21)
    discarded: list[bool] = []
    monkeypatch.setattr(finish, "discard", lambda folder, *, keep_journal=False: discarded.append(keep_journal))
    assert main.run(Settings.load(data_dir=spool.parents[1]), "EG_x") == 0, "killed before it had cleaned up"
    assert discarded == [True]


def test_a_journal_that_does_not_say_where_the_recording_began_is_kept(spool: Path) -> None:
    records = meeting([], 1.0)[:-1]
    write(spool, records, next(k for k, r in enumerate(records) if isinstance(r, Begin)))
    done = finished(spool)
    assert (done.status, done.error_code) == ("failed", 500) and "damaged" in (done.error or "")
    assert (spool / "journal" / "000001.seg").exists()
