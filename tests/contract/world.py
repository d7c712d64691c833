"""The application under test: real handlers, domain, SQLite and file storage; only the media server is in memory."""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import httpx
import jwt
from sqlalchemy import insert

from meet import api
from meet.api.public_url import PublicUrl
from meet.core import services as core
from meet.core.callers import RoomMemberClaims
from meet.core.clock import SystemClock
from meet.core.ids import new_recording_uid, new_secret, recording_filename, recording_id, recording_key
from meet.core.model.permissions import ALL, NONE, SPEAKER, Permission, overlay
from meet.core.model.recording import TERMINAL, Recording, RecordingStatus
from meet.core.model.room import NewRoom, Room
from meet.core.model.user import ApiKey, UserRole
from meet.core.model.webhook import WebhookReply
from meet.core.permission_names import Mode, Spelling
from meet.core.ports import Repositories
from meet.core.settings import CoreSettings
from meet.core.token_codec import TokenCodec
from meet.db import Database, tables
from meet.livekit import WebhookInbox, WebhookVerifier
from meet.stores.deletion import Deletion
from meet.stores.reading import RecordingFiles
from storage import BlobStore, StorageUnavailable, Stores
from storage.filesystem import FilesystemStore
from storage.names import FILES
from tests.support.recorder import RecorderInMemory

from .media import MediaServerInMemory
from .oracle import Oracle

API_KEY = "ovmeet-0123456789abcdef0123456789abcdef"
PASSWORD = "correct horse"
KEY = "devkey"
SECRET = "a secret that is long enough for HS256"
ORIGIN = "https://meet.example"
MOVIE = bytes(hashlib.sha256(b"movie").digest()) * 400
"""What a finished recording consists of here: 12800 bytes."""


class Breakable:
    """Passes every call on until `broken` holds an exception: then every call raises it."""

    def __init__(self, target: Any) -> None:
        self._target = target
        self.broken: Exception | None = None

    def __getattr__(self, name: str) -> Any:
        if self.broken is not None:
            raise self.broken
        return getattr(self._target, name)


@dataclass
class Receiver:
    """Where webhooks end up, without a network: answers `status` and remembers what it got."""

    status: int = 200
    got: list[tuple[str, Mapping[str, str], bytes]] = field(default_factory=list)

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> WebhookReply:
        self.got.append((url, headers, body))
        return WebhookReply(self.status, "Told You")


def signature(body: bytes) -> dict[str, str]:
    """The headers with which a media server posts `body`."""
    digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
    token = jwt.encode({"iss": KEY, "exp": int(time.time()) + 60, "sha256": digest}, SECRET, algorithm="HS256")
    return {"Authorization": token, "Content-Type": "application/webhook+json"}


@dataclass
class World:
    """`data`, `accounts` and `blobs` can be broken; everything else is as in production."""

    client: httpx.AsyncClient
    unjudged: httpx.AsyncClient
    oracle: Oracle
    core: core.Core
    media: MediaServerInMemory
    recorder: RecorderInMemory
    codec: TokenCodec
    repositories: Repositories
    data: list[Breakable]
    accounts: Breakable
    blobs: Breakable
    receiver: Receiver
    services: api.Services
    scratch: Path
    clock: SystemClock = field(default_factory=SystemClock)

    def mend(self) -> None:
        for part in (*self.data, self.accounts, self.blobs):
            part.broken = None
        self.media.reachable, self.media.failure, self.media.egress_begins_as = True, None, "active"
        self.recorder.missing = self.recorder.silent = False
        self.receiver.status = 200
        self.media.gate.set()

    def user_token(self, name: str) -> str:
        return self.codec.sign_user(name, name.title(), "access")

    def member_token(self, room_id: str, permissions: dict[Permission, bool], **claims: Any) -> str:
        return self.codec.sign_member(
            RoomMemberClaims(
                iat=self.clock.now_ms(),
                room_id=room_id,
                permissions=permissions,
                badge="moderator" if permissions["canRecord"] else "other",
                **claims,
            )
        )

    def metadata_of(self, token: str) -> str:
        """The metadata text a media server finds in a join token."""
        payload = jwt.decode(token, options={"verify_signature": False})
        text: str = payload["metadata"]
        return text


@dataclass
class Scene:
    """Fresh resources for one exchange: a room of the root admin, another one, perhaps a recording of the first."""

    world: World
    room: Room
    other: Room
    recording: Recording | None = None
    variables: dict[str, str] = field(default_factory=dict)

    def fill(self, text: str) -> str:
        """`{room}`, `{recording}`... in a path replaced by this scene's ids."""
        recording = self.recording.recording_id if self.recording else ""
        known = {"room": self.room.room_id, "other": self.other.room_id, "recording": recording}
        return text.format_map({**known, **self.variables})

    async def change_room(self, change: Callable[[Room], Room]) -> None:
        changed = await self.world.repositories.rooms.modify(self.room.room_id, change)
        assert changed is not None
        self.room = changed

    async def meet(self) -> None:
        """People come together: the media server has a room, and its event was handled."""
        self.world.media.join(self.room.room_id, "ana-1")
        await self.change_room(lambda room: replace(room, status="active_meeting"))

    async def add_recording(self, status: RecordingStatus = "complete", *, media: bool = True) -> Recording:
        recording = await add_recording(self.world, self.room, status, media=media)
        self.recording = recording
        return recording

    def moderator(self) -> str:
        return self.world.member_token(self.room.room_id, overlay(ALL, None))

    def speaker(self) -> str:
        return self.world.member_token(self.room.room_id, overlay(SPEAKER, None))

    def powerless(self) -> str:
        return self.world.member_token(self.room.room_id, overlay(NONE, None))

    def elsewhere(self) -> str:
        return self.world.member_token(self.other.room_id, overlay(ALL, None))


async def add_recording(
    world: World, room: Room, status: RecordingStatus = "complete", *, media: bool = True
) -> Recording:
    """A recording in the database, with an egress while it runs and with bytes in the store once complete."""
    uid = new_recording_uid()
    now = world.clock.now_ms()
    key = recording_key("openvidu-meet", room.room_id, uid)
    egress_id = f"EG_{uid}"
    if status not in TERMINAL:
        egress = await world.media.start_room_composite(room.room_id, layout="grid", encoding="H264_720P_30", key=key)
        world.media.egress[egress.egress_id] = replace(egress, status=status)
        egress_id = egress.egress_id
    over = status in TERMINAL
    recording = Recording(
        recording_id=recording_id(room.room_id, egress_id, uid),
        room_id=room.room_id,
        egress_id=egress_id,
        room_name=room.room_name,
        status=status,
        layout="grid",
        encoding="H264_720P_30",
        filename=recording_filename(room.room_id, uid),
        key=key,
        room_owner=room.owner,
        room_user_access=False,
        public_secret=new_secret(),
        private_secret=new_secret(),
        start_date=now - 60_000,
        end_date=now if over else None,
        duration=60.0 if over else None,
        size=len(MOVIE) if status == "complete" else None,
        updated_at=now,
        store=FILES,
    )
    await world.repositories.recordings.create(recording)
    if status == "complete" and media:
        file = world.scratch / f"{uid}.mp4"
        file.write_bytes(MOVIE)
        await cast(BlobStore, world.blobs).put_file(key, file, "video/mp4")
        file.unlink()
    return recording


async def new_scene(world: World, owner: str = "admin") -> Scene:
    """Rooms are made by the service itself, as `owner`. The key is what it was, whatever the last scene did to it."""
    if [each.key for each in await world.repositories.accounts.api_keys()] != [API_KEY]:
        await world.repositories.accounts.replace_api_key(ApiKey(API_KEY, world.clock.now_ms()))
    caller = await world.core.auth.by_access_token(world.user_token(owner))
    room = await world.core.rooms.create(caller, NewRoom(room_name="Daily"))
    other = await world.core.rooms.create(caller, NewRoom(room_name="Other"))
    return Scene(world, room, other)


GONE = RuntimeError("the database file is gone")
UNREACHABLE = StorageUnavailable("The bucket does not answer.")


def settings(mode: Mode = "3.8.0") -> CoreSettings:
    return CoreSettings(
        mode=mode,
        livekit_api_key=KEY,
        livekit_api_secret=SECRET,
        initial_admin_password=PASSWORD,
        initial_api_key=API_KEY,
        captions_enabled=True,
        recording_start_timeout_s=3.0,
        recording_poll_interval_s=0.01,
        recording_stop_grace_s=0.01,
        room_ending_grace_s=0.01,
    )


@asynccontextmanager
async def open_world(folder: Path, mode: Mode = "3.8.0") -> AsyncIterator[World]:
    """A world on a fresh data directory."""
    clock = SystemClock()
    database = Database.open(folder / "meet.db")
    stored = database.repositories()
    with closing(database):
        parts = (stored.rooms, stored.recordings, stored.members, stored.outbox, stored.users, stored.analytics)
        data = [Breakable(part) for part in parts]
        accounts = Breakable(stored.accounts)
        blobs = Breakable(FilesystemStore(folder / "storage"))
        await blobs.check()
        stores = Stores(FILES, cast(BlobStore, blobs))
        media = MediaServerInMemory()
        recorder = RecorderInMemory(media)
        repositories = Repositories(
            rooms=cast(Any, data[0]),
            recordings=cast(Any, data[1]),
            recording_facts=stored.recording_facts,
            recording_places=stored.recording_places,
            members=cast(Any, data[2]),
            share_links=stored.share_links,
            names=stored.names,
            participants=stored.participants,
            accounts=cast(Any, accounts),
            outbox=cast(Any, data[3]),
            users=cast(Any, data[4]),
            analytics=cast(Any, data[5]),
            caption_users=stored.caption_users,
        )
        receiver, public = Receiver(), PublicUrl(f"{ORIGIN}/meet")
        domain = core.build(
            settings(mode),
            repositories,
            media=media,
            agents=media,
            recorder=recorder,
            blobs=Deletion(stores, folder / "spool"),
            clock=clock,
            transport=receiver,
            base_url=lambda: public.current,
        )
        await domain.auth.bootstrap()
        users = _users(clock.now_ms())
        await database.write(lambda connection: connection.execute(insert(tables.users), users))
        app = api.build(
            api.Services(
                auth=domain.auth,
                rooms=domain.rooms,
                recordings=domain.recordings,
                recording_extras=domain.recording_extras,
                sharing=domain.sharing,
                tokens=domain.tokens,
                meetings=domain.meetings,
                assistants=domain.assistants,
                webhooks=domain.webhooks,
                users=domain.users,
                members=domain.members,
                api_keys=domain.api_keys,
                global_settings=domain.global_settings,
                analytics=domain.analytics,
                public=public,
                spelling=Spelling(mode),
                inbox=WebhookInbox(WebhookVerifier(KEY, SECRET), domain.media_events),
                files=RecordingFiles(stores, repositories.recordings, repositories.recording_places),
                media_url=lambda base_url: base_url.replace("http", "ws", 1).removesuffix("/meet") + ":7880",
            ),
            public_url=ORIGIN,
        )
        oracle = Oracle(app)
        base = f"{ORIGIN}/meet"
        async with (
            httpx.AsyncClient(transport=httpx.ASGITransport(oracle), base_url=base) as client,
            httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=base) as unjudged,
        ):
            yield World(
                client=client,
                unjudged=unjudged,
                oracle=oracle,
                core=domain,
                media=media,
                recorder=recorder,
                codec=TokenCodec(settings(), clock),
                repositories=repositories,
                data=data,
                accounts=accounts,
                blobs=blobs,
                receiver=receiver,
                services=app.services,
                scratch=folder,
            )
        await domain.stop()
        await blobs.close()


def _users(now: int) -> list[dict[str, Any]]:
    """A manager and a member who have nothing to do with any room, and one who must change the password."""

    def row(user_id: str, role: UserRole, must_change_password: bool = False) -> dict[str, Any]:
        return {
            "user_id": user_id,
            "name": user_id.title(),
            "name_folded": user_id,
            "role": role,
            "registration_date": now,
            "role_updated_at": now,
            "password_hash": "",
            "must_change_password": must_change_password,
        }

    return [row("manager", "room_manager"), row("member", "room_member"), row("newcomer", "room_member", True)]
