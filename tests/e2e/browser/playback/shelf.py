"""Files of our choice as complete recordings of a running server, as if its recorder had made them."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from meet.core.ids import new_recording_uid, new_secret, recording_filename, recording_id, recording_key
from meet.core.model.recording import Recording
from meet.db import Database
from meet.demo.server import Server
from meet.fragments.index import FragmentIndex
from meet.fragments.runs import NotFragmented
from storage.filesystem import FilesystemStore
from storage.keys import index_key


async def shelve(server: Server, room: dict[str, Any], path: Path, duration_s: float) -> str:
    """Store the file and its index, as an upload does; the recording's id."""
    uid, room_id = new_recording_uid(), room["roomId"]
    prefix = server.settings.s3_subbucket
    key = recording_key(prefix, room_id, uid)
    store = FilesystemStore(server.data_dir / "storage")
    await store.put_file(key, path, "video/mp4")
    try:
        index = path.with_name(f"{path.name}.index")
        index.write_bytes(FragmentIndex.of(path).to_bytes())
        await store.put_file(index_key(key), index, "application/json")
    except NotFragmented:
        pass  # as WebM is: then there is no index either
    stat = path.stat()
    began = round(stat.st_mtime * 1000)
    egress_id = f"EG_{uid}"
    recording = Recording(
        recording_id=recording_id(room_id, egress_id, uid),
        room_id=room_id,
        egress_id=egress_id,
        room_name=room["roomName"],
        status="complete",
        layout="grid",
        encoding="H264_720P_30",
        filename=recording_filename(room_id, uid),
        key=key,
        room_owner=room["owner"],
        room_user_access=False,
        public_secret=new_secret(),
        private_secret=new_secret(),
        start_date=began,
        end_date=began + round(duration_s * 1000),
        duration=duration_s,
        size=stat.st_size,
        updated_at=began,
    )
    with closing(Database.open(server.data_dir / "meet.db")) as database:
        await database.repositories().recordings.create(recording)
    return recording.recording_id


def addresses(server: Server, recording_id: str, link: str) -> dict[str, str]:
    """By name: where a player finds the recording that the public link `link` is for."""
    secret = parse_qs(urlsplit(link).query)["recordingSecret"][0]
    item = f"recordings/{recording_id}"
    return {
        "file": f"{server.url}/api/v1/{item}/media?recordingSecret={secret}",
        "stream": f"{server.url}/api/extra/v1/{item}/stream?recordingSecret={secret}",
        "HLS": f"{server.url}/api/extra/v1/{item}/playlist.m3u8?recordingSecret={secret}",
    }
