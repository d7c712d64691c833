"""The manifest of an egress: written by the recorder, stored before the file it is about."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

from meet.recorder import finish, manifest
from meet.recorder.state import EgressState
from storage.filesystem import FilesystemStore


async def test_it_is_there_before_the_file(tmp_path: Path) -> None:
    spool = tmp_path / "spool"
    spool.mkdir()
    request = {"egress_id": "EG_1", "room_name": "a", "key": "tracks/x.ogg", "created_ms": 1_700_000_000_000}
    state = EgressState.from_request(request)
    (spool / "request.json").write_text(json.dumps(request))
    assert manifest.write(spool, state, 1) == {}, "nobody asked for one"
    wish = {"key": "tracks/EG_1.json", "content": {"room_name": "a", "track_id": "TR_1"}}
    (spool / "request.json").write_text(json.dumps({**request, "manifest": wish}))
    beside = partial(manifest.write, spool, state, 1_700_000_009_000)
    file = spool / "composite.ogg"
    file.write_bytes(b"OggS")
    store = FilesystemStore(tmp_path / "storage")
    troubles: list[str] = []
    await finish.store(store, state.key, file, 4, "audio/ogg", troubles.append, beside)
    assert not troubles and (tmp_path / "storage/tracks/x.ogg").read_bytes() == b"OggS"
    assert json.loads((tmp_path / "storage/tracks/EG_1.json").read_text()) == {
        "egress_id": "EG_1",
        "room_name": "a",
        "track_id": "TR_1",
        "started_at": 1_700_000_000_000_000_000,
        "ended_at": 1_700_000_009_000_000_000,
        "files": [{"filename": "tracks/x.ogg", "location": "tracks/x.ogg"}],
    }
    finish.discard(spool)
    assert [path.name for path in spool.iterdir()] == ["request.json"]
