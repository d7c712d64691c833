"""Rooms and recordings to store."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from meet.core.model.recording import Recording
from meet.core.model.room import Room
from meet.core.room_documents import default_access, default_config, default_roles


def room(room_id: str = "room-1", **changes: Any) -> Room:
    sample = Room(
        room_id=room_id,
        room_name="Room",
        owner="admin",
        creation_date=1000,
        config=default_config(),
        roles=default_roles(),
        access=default_access(),
        status="open",
        roles_updated_at=1000,
        meeting_end_action="none",
    )
    return replace(sample, **changes)


def recording(number: int = 1, room_id: str = "room-1", **changes: Any) -> Recording:
    uid = f"{number:010x}"
    sample = Recording(
        recording_id=f"{room_id}--EG_{number}--{uid}",
        room_id=room_id,
        egress_id=f"EG_{number}",
        room_name="Room",
        status="starting",
        layout="grid",
        encoding="H264_720P_30",
        filename=f"{room_id}--{uid}.mp4",
        key=f"openvidu-meet/recordings/{room_id}/{room_id}--{uid}.mp4",
        room_owner="admin",
        room_user_access=False,
        public_secret="aaaaaaaaaa",
        private_secret="bbbbbbbbbb",
        updated_at=1000,
    )
    return replace(sample, **changes)
