"""A running server with everything in it that an operation can be asked about, and every kind of credential."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import requests

from meet.app import core_settings
from meet.core.callers import RoomMemberClaims
from meet.core.clock import SystemClock
from meet.core.ids import new_recording_uid, new_secret, recording_filename, recording_id, recording_key
from meet.core.model.permissions import ALL, SPEAKER, Permission, overlay
from meet.core.model.recording import Recording
from meet.core.model.room import Room, RoomMember
from meet.core.model.user import ApiKey, User, UserRole
from meet.core.room_documents import default_access, default_config, default_roles
from meet.core.token_codec import TokenCodec
from meet.db import Database
from meet.demo.server import Server

MEDIA = bytes(range(256)) * 8
HASH = "$2b$04$OColZlJ2DMK33MJYETfPEuf7ZgG90fYSfza2nUR8puek4WjKV/2LO"  # of "correct horse", with the cheapest cost
ROLES: dict[str, UserRole] = {"admin": "admin", "manager": "room_manager", "member": "room_member"}


class House:
    """`ids` are what path and query parameters of these names can be filled with. `furnish` makes them anew, straight
    in the database: whatever the last request destroyed is there again for the next."""

    def __init__(self, server: Server) -> None:
        settings = server.settings
        self.url = server.url
        self.key = settings.initial_api_key
        self.session = requests.Session()
        self.ids: dict[str, str] = {}
        self._store = server.data_dir / "storage"
        self._clock = SystemClock()
        self._codec = TokenCodec(core_settings(settings), self._clock)
        self._database = Database.open(server.data_dir / "meet.db")
        self._loop = asyncio.Runner()
        self.credentials: dict[str, Callable[[], dict[str, str]]] = {
            "nobody": dict,
            "garbage key": lambda: {"X-API-KEY": "garbage"},
            "garbage tokens": lambda: {"Authorization": "Bearer e.e.e", "X-Room-Member-Token": "Bearer \xff"},
            "API key": lambda: {"X-API-KEY": self.key},
            "moderator": lambda: self._member(overlay(ALL, None)),
            "speaker": lambda: self._member(overlay(SPEAKER, None)),
            **{name: lambda name=name: self._user(name) for name in ROLES},  # type: ignore[misc]
        }

    def close(self) -> None:
        self.session.close()
        self._loop.close()
        self._database.close()

    def furnish(self) -> None:
        self._loop.run(self._furnish())

    async def _furnish(self) -> None:
        data, now = self._database.repositories(), self._clock.now_ms()
        await data.accounts.replace_api_key(ApiKey(self.key, now))
        for user_id, role in ROLES.items():
            await data.users.add(_user(user_id, role, now))
        person = f"p_{secrets.token_hex(4)}"
        await data.users.add(_user(person, "room_member", now))
        room = _room(f"fuzz-{secrets.token_hex(8)[:15]}", now)
        await data.rooms.add(room)
        member = RoomMember(
            room_id=room.room_id,
            member_id=f"guest-{secrets.token_hex(5)}",
            user_id=None,
            name="Ana",
            membership_date=now,
            base_role="speaker",
            custom_permissions=None,
            effective_permissions=overlay(SPEAKER, None),
            permissions_updated_at=now,
        )
        await data.members.add(room.room_id, None, lambda _: member)
        recording = _recording(room.room_id, now)
        await data.recordings.create(recording)
        path = self._store / recording.key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(MEDIA)
        self.ids = {
            "roomId": room.room_id,
            "roomIds": room.room_id,
            "recordingId": recording.recording_id,
            "recordingIds": recording.recording_id,
            "memberId": member.member_id,
            "memberIds": member.member_id,
            "userId": person,
            "userIds": person,
        }

    def _user(self, name: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._codec.sign_user(name, name.title(), 'access')}"}

    def _member(self, permissions: dict[Permission, bool]) -> dict[str, str]:
        now = self._clock.now_ms()
        claims = RoomMemberClaims(iat=now, room_id=self.ids["roomId"], permissions=permissions, badge="other")
        return {"X-Room-Member-Token": f"Bearer {self._codec.sign_member(claims)}"}


def _user(user_id: str, role: UserRole, now: int) -> User:
    return User(
        user_id=user_id, name="Person", role=role, registration_date=now, role_updated_at=now, password_hash=HASH
    )


def _room(room_id: str, now: int) -> Room:
    return Room(
        room_id=room_id,
        room_name="Fuzz",
        owner="admin",
        creation_date=now,
        config=default_config(),
        roles=default_roles(),
        access=default_access(),
        status="open",
        roles_updated_at=0,
        meeting_end_action="none",
    )


def _recording(room_id: str, now: int) -> Recording:
    uid = new_recording_uid()
    return Recording(
        recording_id=recording_id(room_id, f"EG_{uid}", uid),
        room_id=room_id,
        egress_id=f"EG_{uid}",
        room_name="Fuzz",
        status="complete",
        layout="grid",
        encoding="H264_720P_30",
        filename=recording_filename(room_id, uid),
        key=recording_key("openvidu-meet", room_id, uid),
        room_owner="admin",
        room_user_access=False,
        public_secret=new_secret(),
        private_secret=new_secret(),
        start_date=now - 60_000,
        end_date=now,
        duration=60.0,
        size=len(MEDIA),
        updated_at=now,
    )


def settings_for(folder: Path) -> dict[str, Any]:
    """Environment of the server: no limits, because all requests come from one address."""
    return {"MEET_RATE_LIMITS": "false", "MEET_INITIAL_WEBHOOK_ENABLED": "false", "MEET_DATA_DIR": str(folder)}
