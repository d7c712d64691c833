"""A whole domain on a temporary SQLite file, with a fake media server, blob store and clock."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import bcrypt
import orjson
import pytest
from sqlalchemy import insert

from meet.core.callers import Caller
from meet.core.model.permissions import MODERATOR, SPEAKER, RoleName, overlay
from meet.core.model.room import NewRoom, Room
from meet.core.model.user import ApiKey, GlobalConfig, User, UserRole
from meet.core.ports import Repositories
from meet.core.services import Core, build
from meet.core.settings import CoreSettings
from meet.core.webhook_delivery import DeliveryPolicy
from meet.db import Database
from meet.db.tables import room_members, users
from tests.support.recorder import RecorderInMemory
from tests.unit.core.fakes import FakeBlobs, FakeClock, FakeMedia, FakeReceiver

PASSWORD = "correct horse"
API_KEY = "ovmeet-test-key"
_HASH = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()


@dataclass
class World:
    """Everything a test may want to touch."""

    core: Core
    media: FakeMedia
    recorder: RecorderInMemory
    blobs: FakeBlobs
    receiver: FakeReceiver
    clock: FakeClock
    database: Database
    repositories: Repositories
    admin: Caller

    async def room(self, **fields: object) -> Room:
        return await self.core.rooms.create(self.admin, NewRoom(**fields))  # type: ignore[arg-type]

    async def stored(self, room_id: str) -> Room:
        room = await self.repositories.rooms.get(room_id)
        assert room is not None
        return room

    async def meeting(self, **fields: object) -> Room:
        """A room with a running meeting of one participant."""
        room = await self.room(**fields)
        self.media.join(room.room_id, "alice")
        await self.core.media_events.room_started(room.room_id, None)
        return await self.stored(room.room_id)

    async def end_meeting(self, room_id: str) -> None:
        self.media.rooms.pop(room_id, None)
        await self.core.media_events.room_finished(room_id, None)

    async def user(self, user_id: str, role: UserRole = "room_member", *, must_change: bool = False) -> Caller:
        values = {
            "user_id": user_id,
            "name": user_id.title(),
            "name_folded": user_id,
            "role": role,
            "registration_date": self.clock.now,
            "role_updated_at": self.clock.now,
            "password_hash": _HASH,
            "must_change_password": must_change,
        }
        await self.database.write(lambda connection: connection.execute(insert(users).values(values)))
        stored = await self.repositories.accounts.get_user(user_id)
        return Caller("user", user=stored)

    async def member(self, room_id: str, member_id: str, role: RoleName = "speaker") -> None:
        permissions = overlay(MODERATOR if role == "moderator" else SPEAKER, None)
        values = {
            "room_id": room_id,
            "member_id": member_id,
            "user_id": None if member_id.startswith("guest-") else member_id,
            "name": f"{member_id} name",
            "name_folded": member_id,
            "base_role": role,
            "membership_date": self.clock.now,
            "permissions_updated_at": self.clock.now,
            "can_retrieve_recordings": permissions["canRetrieveRecordings"],
            "document": orjson.dumps({"effectivePermissions": permissions}).decode(),
        }
        await self.database.write(lambda connection: connection.execute(insert(room_members).values(values)))


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated file to copy: running the migrations for every test would dominate the run."""
    path = tmp_path_factory.mktemp("template") / "meet.db"
    Database.open(path).close()
    return path


@pytest.fixture
def start_timeout_s() -> float:
    """Of recordings; nobody waits for it where a start ends by itself."""
    return 60.0


@pytest.fixture
def settings(start_timeout_s: float) -> CoreSettings:
    return CoreSettings(
        livekit_api_key="devkey",
        livekit_api_secret="a secret that is long enough for HS256",
        initial_admin_password=PASSWORD,
        initial_api_key=API_KEY,
        recording_start_timeout_s=start_timeout_s,
        recording_poll_interval_s=0.02,
        recording_stop_grace_s=0.1,
        room_ending_grace_s=0.1,
    )


@pytest.fixture
async def world(tmp_path: Path, empty_database: Path, settings: CoreSettings) -> AsyncIterator[World]:
    shutil.copy(empty_database, tmp_path / "meet.db")
    database = Database(tmp_path / "meet.db")
    clock, blobs = FakeClock(), FakeBlobs()
    media = FakeMedia(clock)
    recorder = RecorderInMemory(media)
    repositories = database.repositories()
    root = User(
        user_id="admin",
        name="Admin",
        role="admin",
        registration_date=clock.now,
        role_updated_at=clock.now,
        password_hash=_HASH,
    )
    config = GlobalConfig(settings.name_id, {}, {}, {})
    await repositories.accounts.initialise(config, root, ApiKey(API_KEY, clock.now))
    receiver = FakeReceiver()
    core = build(
        settings,
        repositories,
        media=media,
        agents=media,
        recorder=recorder,
        blobs=blobs,
        clock=clock,
        transport=receiver,
        base_url=lambda: "https://meet.example/meet",
        delivery=DeliveryPolicy(first_delay_ms=20, poll_s=0.05),
    )
    yield World(core, media, recorder, blobs, receiver, clock, database, repositories, Caller("api_key", user=root))
    await core.stop()
    database.close()
