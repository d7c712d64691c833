"""Recordings in SQL: reads, the status machine as conditional updates, and deletion in two durable steps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import Connection, Row, bindparam, delete, exists, insert, or_, select, update

from meet.core.model.paging import Page, PageRequest, Reach, RecordingFilter
from meet.core.model.recording import (
    IN_PROGRESS,
    TERMINAL,
    Recording,
    RecordingLock,
    RecordingStatus,
    reachable_from,
)
from meet.core.model.webhook import Announcement

from .keyset import keyset, page_of
from .outbox import append
from .recording_locks import acquire, locks, release
from .rooms import stored_room
from .tables import recording_tombstones, recordings, room_members
from .text import matches, time_limit

if TYPE_CHECKING:
    from .engine import Database

_VISIBLE = recordings.c.deleting_since.is_(None)
_BY_ID = select(recordings).where(recordings.c.recording_id == bindparam("recording_id"), _VISIBLE)
_BY_EGRESS = select(recordings).where(recordings.c.egress_id == bindparam("egress_id"), _VISIBLE)
_SORT = {
    "startDate": recordings.c.start_date,
    "roomName": recordings.c.room_name,
    "duration": recordings.c.duration,
    "size": recordings.c.size,
}
_NEVER_STARTED: tuple[RecordingStatus, ...] = ("starting", "failed", "aborted")


class SqlRecordings:
    """Implements `meet.core.ports.RecordingRepository`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def acquire_lock(self, room_id: str, key: str, now: int) -> bool:
        return await self._database.write(lambda connection: acquire(connection, room_id, key, now))

    async def release_lock(self, room_id: str, key: str) -> bool:
        return await self._database.write(lambda connection: release(connection, room_id, key))

    async def locks(self) -> list[RecordingLock]:
        return locks(self._database.reader)

    async def create(self, recording: Recording, announcements: Sequence[Announcement] = ()) -> bool:
        def work(connection: Connection) -> bool:
            if _tombstoned(connection, recording.key):
                return False
            statement = insert(recordings).prefix_with("OR IGNORE", dialect="sqlite")
            room = stored_room(connection, recording.room_id)
            if room is None:
                return False
            # The room may have changed since it was read for this recording.
            now = {"room_owner": room.owner, "room_user_access": room.speaker_may_retrieve}
            if connection.execute(statement.values({**_values(recording), **now})).rowcount == 0:
                return False
            if recording.status in IN_PROGRESS:
                acquire(connection, recording.room_id, recording.key, recording.updated_at)
            append(connection, announcements)
            return True

        return await self._database.write(work)

    async def advance(
        self, recording: Recording, announce: Callable[[Recording], Announcement | None] | None = None
    ) -> Recording | None:
        def work(connection: Connection) -> Recording | None:
            before = _one(connection, _BY_ID, recording_id=recording.recording_id)
            statement = (
                update(recordings)
                .where(
                    recordings.c.recording_id == recording.recording_id,
                    recordings.c.status.in_(reachable_from(recording.status)),
                    _VISIBLE,
                )
                .values(_progress(recording))
            )
            if connection.execute(statement).rowcount == 0:
                return None
            if recording.status in TERMINAL:
                release(connection, recording.room_id, recording.key)
            if before is not None and announce is not None and (told := announce(before)) is not None:
                append(connection, [told])
            return _one(connection, _BY_ID, recording_id=recording.recording_id)

        return await self._database.write(work)

    async def get(self, recording_id: str) -> Recording | None:
        return _one(self._database.reader, _BY_ID, recording_id=recording_id)

    async def get_by_egress(self, egress_id: str) -> Recording | None:
        return _one(self._database.reader, _BY_EGRESS, egress_id=egress_id)

    async def page(self, wanted: RecordingFilter, request: PageRequest) -> Page[Recording]:
        statement = select(recordings).where(_VISIBLE)
        if wanted.room_id is not None:
            statement = statement.where(recordings.c.room_id == wanted.room_id)
        if wanted.name is not None and wanted.name.value:
            condition = matches(recordings.c.room_name, recordings.c.room_name_folded, wanted.name)
            statement = statement.where(condition)
        if wanted.status is not None:
            statement = statement.where(recordings.c.status == wanted.status)
        if wanted.reach is not None:
            statement = statement.where(_within(wanted.reach))
        sort = _SORT[request.sort_field]
        with time_limit(wanted.name):
            rows = self._database.reader.execute(keyset(statement, sort, recordings.c.seq, request)).all()
        return page_of(rows, sort.name, request, recording_of)

    async def with_status(self, statuses: frozenset[RecordingStatus]) -> list[Recording]:
        return self._all(recordings.c.status.in_(statuses), _VISIBLE)

    async def of_room(self, room_id: str) -> list[Recording]:
        return self._all(recordings.c.room_id == room_id, _VISIBLE)

    async def any_of_room(self, room_id: str) -> bool:
        """Those being deleted count: they still keep the room."""
        statement = select(exists().where(recordings.c.room_id == room_id))
        return bool(self._database.reader.execute(statement).scalar())

    async def in_progress_of_room(self, room_id: str) -> Recording | None:
        found = self._all(recordings.c.room_id == room_id, recordings.c.status.in_(IN_PROGRESS), _VISIBLE)
        return found[-1] if found else None

    async def begin_delete(self, recording_ids: Sequence[str], now: int) -> list[str]:
        def work(connection: Connection) -> list[str]:
            return [each for each in recording_ids if connection.execute(_hide(each, now)).rowcount == 1]

        return await self._database.write(work)

    async def cancel_delete(self, recording_ids: Sequence[str]) -> None:
        statement = update(recordings).where(recordings.c.recording_id.in_(recording_ids))
        await self._database.write(lambda connection: connection.execute(statement.values(deleting_since=None)))

    async def finish_delete(self, recording_ids: Sequence[str], now: int) -> None:
        def work(connection: Connection) -> None:
            hidden = recordings.c.recording_id.in_(recording_ids) & recordings.c.deleting_since.is_not(None)
            keys = connection.execute(select(recordings.c.object_key).where(hidden)).scalars().all()
            for key in keys:
                _bury(connection, key, now)
            connection.execute(delete(recordings).where(hidden))

        await self._database.write(work)

    async def unfinished_deletes(self, recording_ids: Sequence[str] | None = None) -> list[Recording]:
        hidden = recordings.c.deleting_since.is_not(None)
        if recording_ids is None:
            return self._all(hidden)
        return self._all(hidden, recordings.c.recording_id.in_(recording_ids))

    async def abandon(
        self,
        room_id: str,
        key: str,
        now: int,
        announce: Callable[[Recording], Announcement] | None = None,
    ) -> Recording | None:
        def work(connection: Connection) -> Recording | None:
            ours = recordings.c.object_key == key
            row = connection.execute(select(recordings).where(ours)).one_or_none()
            if row is not None and row.status not in _NEVER_STARTED:
                return recording_of(row)
            if row is not None and row.status == "starting" and announce is not None:
                append(connection, [announce(recording_of(row))])
            connection.execute(delete(recordings).where(ours))
            release(connection, room_id, key)
            _bury(connection, key, now)
            return None

        return await self._database.write(work)

    async def is_tombstoned(self, key: str) -> bool:
        return _tombstoned(self._database.reader, key)

    async def prune_tombstones(self, before: int) -> int:
        old = recording_tombstones.c.deleted_at < before
        if not self._database.reader.execute(select(exists().where(old))).scalar():
            return 0
        statement = delete(recording_tombstones).where(old)
        return await self._database.write(lambda connection: connection.execute(statement).rowcount)

    def _all(self, *conditions: Any) -> list[Recording]:
        statement = select(recordings).where(*conditions).order_by(recordings.c.seq)
        return [recording_of(row) for row in self._database.reader.execute(statement)]


def _hide(recording_id: str, now: int) -> Any:
    return (
        update(recordings)
        .where(recordings.c.recording_id == recording_id, recordings.c.status.in_(TERMINAL), _VISIBLE)
        .values(deleting_since=now)
    )


def _bury(connection: Connection, key: str, now: int) -> None:
    statement = insert(recording_tombstones).prefix_with("OR IGNORE", dialect="sqlite")
    connection.execute(statement, {"object_key": key, "deleted_at": now})


def _tombstoned(connection: Connection, key: str) -> bool:
    statement = select(exists().where(recording_tombstones.c.object_key == key))
    return bool(connection.execute(statement).scalar())


def _within(reach: Reach) -> Any:
    """Contract 2.4.1: the owner's rooms, rooms where a member may retrieve, recordings open to every user."""
    ways: list[Any] = []
    if reach.owner is not None:
        ways.append(recordings.c.room_owner == reach.owner)
    if reach.member is not None:
        membership = (
            (room_members.c.room_id == recordings.c.room_id)
            & (room_members.c.user_id == reach.member)
            & room_members.c.can_retrieve_recordings
        )
        ways.append(exists().where(membership))
    if reach.user_access:
        ways.append(recordings.c.room_user_access)
    return or_(False, *ways)


def _one(connection: Connection, statement: Any, **parameters: str) -> Recording | None:
    row = connection.execute(statement, parameters).one_or_none()
    return recording_of(row) if row is not None else None


def recording_of(row: Row[*tuple[Any, ...]]) -> Recording:
    """A recording from its row."""
    return Recording(
        recording_id=row.recording_id,
        room_id=row.room_id,
        egress_id=row.egress_id,
        room_name=row.room_name,
        status=row.status,
        layout=row.layout,
        encoding=orjson.loads(row.encoding),
        filename=row.filename,
        key=row.object_key,
        room_owner=row.room_owner,
        room_user_access=row.room_user_access,
        public_secret=row.public_secret,
        private_secret=row.private_secret,
        start_date=row.start_date,
        end_date=row.end_date,
        duration=row.duration,
        size=row.size,
        error_code=row.error_code,
        error=row.error,
        details=row.details,
        updated_at=row.updated_at,
        audio_only=row.audio_only,
        store=row.store,
        copies=tuple(orjson.loads(row.copies)) if row.copies else (),
    )


def _progress(recording: Recording) -> dict[str, Any]:
    """The columns that an egress event may change; ownership, sharing and secrets are not among them."""
    return {
        "status": recording.status,
        "layout": recording.layout,
        "encoding": orjson.dumps(recording.encoding).decode(),
        "start_date": recording.start_date,
        "end_date": recording.end_date,
        "duration": recording.duration,
        "size": recording.size,
        "error_code": recording.error_code,
        "error": recording.error,
        "details": recording.details,
        "store": recording.store,
        "updated_at": recording.updated_at,
    }


def _values(recording: Recording) -> dict[str, Any]:
    return {
        **_progress(recording),
        "recording_id": recording.recording_id,
        "room_id": recording.room_id,
        "egress_id": recording.egress_id,
        "object_key": recording.key,
        "room_name": recording.room_name,
        "room_name_folded": recording.room_name.casefold(),
        "filename": recording.filename,
        "copies": orjson.dumps(recording.copies).decode() if recording.copies else None,
        "room_owner": recording.room_owner,
        "room_user_access": recording.room_user_access,
        "public_secret": recording.public_secret,
        "private_secret": recording.private_secret,
        "audio_only": recording.audio_only,
    }
