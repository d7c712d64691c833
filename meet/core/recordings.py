"""RecordingService: the recording operations of the REST surface, with their authorization (contract 4).

Starting, events, removal and the jobs are files of their own: `recording_*.py`.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import replace

import structlog

from .callers import Caller
from .clock import Clock
from .errors import (
    AnonymousAccessDisabled,
    EgressNotActive,
    EgressNotFound,
    InsufficientPermissions,
    MeetError,
    NoRecordingsAvailable,
    RecordingAlreadyStopped,
    RecordingDisabled,
    RecordingNotFound,
    RecordingNotStopped,
    RecordingNotStreamable,
    RecordingStillStarting,
    RoomNotFound,
    Unauthorized,
    UnknownRecordingSecret,
)
from .model.encoding import Encoding, Layout
from .model.paging import Page, Reach, RecordingFilter, RecordingQuery
from .model.permissions import Permission, holds
from .model.recording import TERMINAL, BulkRecordingDeletion, Egress, FailedRecording, Recording
from .model.recording_facts import Compose
from .model.room import Room
from .model.user import User
from .permissions import Rights
from .ports import MediaServer, RecordingRepository, RoomRepository
from .recording_errors import RecordingElsewhere
from .recording_events import RecordingEvents
from .recording_removal import RecordingRemoval
from .recording_start import RecordingStarter
from .share_ports import ShareLinkRepository
from .shared_secrets import opened_by

log = structlog.get_logger(__name__)


class RecordingService:
    """Existence (404) is checked before rights (403), rights before state (409)."""

    def __init__(
        self,
        *,
        rooms: RoomRepository,
        recordings: RecordingRepository,
        media: MediaServer,
        rights: Rights,
        starter: RecordingStarter,
        events: RecordingEvents,
        removal: RecordingRemoval,
        links: ShareLinkRepository,
        clock: Clock,
    ) -> None:
        self._rooms = rooms
        self._recordings = recordings
        self._media = media
        self._rights = rights
        self._starter = starter
        self._events = events
        self._removal = removal
        self._links = links
        self._clock = clock

    async def start(
        self,
        caller: Caller,
        room_id: str,
        *,
        layout: Layout | None = None,
        encoding: Encoding | None = None,
        compose: Compose | None = None,
        audio_only: bool = False,
    ) -> Recording:
        """Record a room that has participants; returns once frames are being written.

        `layout` and `encoding` override the room's for this recording only, `compose` the media server's way. Raises
        RoomNotFound, RecordingDisabled, InsufficientPermissions, AlreadyRecording, NoParticipants,
        RecordingStartTimeout, MediaServerError; RecorderMissing only with `compose`."""
        room = await self._rooms.get(room_id)
        if room is None:
            raise RoomNotFound(room_id)
        config = room.config["recording"]
        if not config["enabled"]:
            raise RecordingDisabled(room_id)
        await self._rights.require(caller, room, "canRecord")
        layout, encoding = layout or config["layout"], encoding or config["encoding"]
        return await self._starter.start(room_id, layout, encoding, compose, audio_only=audio_only)

    async def stop(self, caller: Caller, recording_id: str) -> Recording:
        """Ask the egress to end; does not wait for the file. The result has a duration.

        Raises RecordingNotFound, InsufficientPermissions, RecordingAlreadyStopped; RecordingStillStarting for one that
        is not active yet, which is stopped all the same (contract 4.4)."""
        recording = await self.accessible(caller, recording_id, "canRecord")
        if recording.status in TERMINAL:
            raise RecordingAlreadyStopped(recording_id)
        egress = await self._egress_of(recording)
        if egress.status not in ("starting", "active"):
            await self._events.apply(egress)
            raise RecordingAlreadyStopped(recording_id)
        try:
            stopped = await self._media.stop_egress(recording.egress_id)
        except EgressNotFound:
            raise RecordingNotFound(recording.egress_id) from None
        except EgressNotActive:
            raise RecordingAlreadyStopped(recording_id) from None
        if egress.status == "starting":
            raise RecordingStillStarting(recording_id)
        log.info("recording_stop_requested", recording=recording_id)
        result = await self._events.apply(stopped) or recording
        if result.duration is None and result.start_date is not None:
            elapsed = max(self._clock.now_ms() - result.start_date, 1) / 1000
            result = replace(result, duration=stopped.duration_s or elapsed)
        return result

    async def set_layout(self, caller: Caller, recording_id: str, layout: Layout) -> Recording:
        """Arrange the picture of a running recording differently from now on; any LiveKit server can do so.

        Raises RecordingNotFound, InsufficientPermissions, RecordingAlreadyStopped, MediaServerError."""
        recording = await self.accessible(caller, recording_id, "canRecord")
        if recording.status not in ("starting", "active"):
            raise RecordingAlreadyStopped(recording_id)
        try:
            changed = await self._media.update_layout(recording.egress_id, layout)
        except EgressNotFound:
            raise RecordingNotFound(recording_id) from None
        except EgressNotActive:
            raise RecordingAlreadyStopped(recording_id) from None
        log.info("recording_layout_changed", recording=recording_id, layout=layout)
        return await self._events.apply(changed) or recording

    async def get(self, caller: Caller, recording_id: str) -> Recording:
        """Raises RecordingNotFound, InsufficientPermissions."""
        return await self.accessible(caller, recording_id, "recordingPlay")

    async def get_with_secret(self, recording_id: str, secret: str, user: User | None) -> Recording:
        """Access by a shared link: a public one needs anonymous recording access in the room, a private one a user.

        `secret` is one of the recording's own, or that of a share link that has not expired.

        Raises RecordingNotFound, AnonymousAccessDisabled, Unauthorized, UnknownRecordingSecret."""
        recording = await self._existing(recording_id)
        private = await self._is_private(recording, secret)
        if private is None:
            raise UnknownRecordingSecret(recording_id, secret)
        if not private:
            await self._require_public_access(recording.room_id)
        elif user is None:
            raise Unauthorized
        return recording

    async def _is_private(self, recording: Recording, secret: str) -> bool | None:
        """Which kind of access a secret gives; None when it opens nothing."""
        given = secret.encode()
        if hmac.compare_digest(given, recording.public_secret.encode()):
            return False
        if hmac.compare_digest(given, recording.private_secret.encode()):
            return True
        link = await opened_by(self._links, recording.recording_id, secret, self._clock.now_ms())
        return link.private if link is not None else None

    async def media(self, caller: Caller, recording_id: str) -> Recording:
        """Like `get`, for its bytes, which are at `Recording.key` in the blob store. Raises RecordingNotStreamable."""
        return _streamable(await self.get(caller, recording_id))

    async def download(self, caller: Caller, recording_id: str) -> Recording:
        """Like `media`, for who may keep the bytes."""
        return _streamable(await self.accessible(caller, recording_id, "recordingDownload"))

    async def media_with_secret(self, recording_id: str, secret: str, user: User | None) -> Recording:
        """Like `get_with_secret`, for its bytes. Raises RecordingNotStreamable."""
        return _streamable(await self.get_with_secret(recording_id, secret, user))

    async def list(self, caller: Caller, query: RecordingQuery) -> Page[Recording]:
        """One page of the recordings within the caller's reach (contract 2.4.1).

        Raises InsufficientPermissions, ValidationFailed."""
        room_id, reach = query.room_id, None
        if caller.member is not None:
            if not holds(caller.member.permissions, "recordingList"):
                raise InsufficientPermissions
            room_id = caller.member.room_id
        elif not caller.is_admin:
            if caller.user is None or caller.kind == "anonymous":
                raise InsufficientPermissions
            user_id = caller.user.user_id
            owner = user_id if caller.user.role == "room_manager" else None
            reach = Reach(owner=owner, member=user_id, user_access=True)
        name = None if room_id is not None else query.name
        wanted = RecordingFilter(room_id=room_id, name=name, status=query.status, reach=reach)
        return await self._recordings.page(wanted, query.page)

    async def select_for_zip(self, caller: Caller, recording_ids: Sequence[str]) -> Sequence[Recording]:
        """The recordings among `recording_ids` that the caller may save, whatever their status, each once.

        Raises NoRecordingsAvailable when there is none."""
        selected: list[Recording] = []
        for recording_id in dict.fromkeys(recording_ids):
            try:
                selected.append(await self.accessible(caller, recording_id, "recordingDownload"))
            except (RecordingNotFound, InsufficientPermissions):
                continue
        if not selected:
            raise NoRecordingsAvailable
        return selected

    async def share_path(self, caller: Caller, recording_id: str, *, private: bool) -> str:
        """`/recording/<id>?recordingSecret=<secret>`, below the base URL. Raises as `get`, AnonymousAccessDisabled."""
        recording = await self.require_shareable(caller, recording_id, private=private)
        return shared_path(recording_id, recording.private_secret if private else recording.public_secret)

    async def require_shareable(self, caller: Caller, recording_id: str, *, private: bool) -> Recording:
        """The recording, if the caller may give others a link to it. Raises as `get`, AnonymousAccessDisabled."""
        recording = await self.get(caller, recording_id)
        if not private:
            await self._require_public_access(recording.room_id)
        return recording

    async def delete(self, caller: Caller, recording_id: str) -> None:
        """Delete a finished recording and its media.

        Raises RecordingNotFound, InsufficientPermissions, RecordingNotStopped, RecordingKept, RecordingElsewhere. A
        failure of the blob store is passed on and leaves the recording as it was."""
        recording = await self._deletable(caller, recording_id)
        removed = await self._removal.remove([recording])
        if removed.kept:
            raise removed.kept[recording_id]
        if not removed.deleted:
            raise RecordingNotFound(recording_id)  # somebody else was faster

    async def delete_many(self, caller: Caller, recording_ids: Sequence[str]) -> BulkRecordingDeletion:
        """Delete what can be deleted; refusals are reported per item, the access check's first (contract 4.7)."""
        refused: list[FailedRecording] = []
        failed: list[FailedRecording] = []
        ready: dict[str, Recording] = {}
        for recording_id in recording_ids:
            try:
                ready[recording_id] = await self._deletable(caller, recording_id)
            except RecordingNotStopped as error:
                failed.append(FailedRecording(recording_id, error.message))
            except MeetError as error:
                refused.append(FailedRecording(recording_id, error.message))
        deleted: tuple[str, ...] = ()
        try:
            removed = await self._removal.remove(list(ready.values()))
            deleted = removed.deleted
            gone = [each for each in ready if each not in deleted and each not in removed.kept]
            failed += [_kept(each, why) for each, why in removed.kept.items()]
            failed += [FailedRecording(each, RecordingNotFound(each).message) for each in gone]
        except Exception as error:  # the blob store's own tree: every item of the batch is reported
            log.warning("recordings_not_deleted", count=len(ready), reason=type(error).__name__)
            failed += [FailedRecording(each, "Unexpected error") for each in ready]
        return BulkRecordingDeletion(tuple(each for each in ready if each in deleted), tuple(refused + failed))

    async def _existing(self, recording_id: str) -> Recording:
        recording = await self._recordings.get(recording_id)
        if recording is None:
            raise RecordingNotFound(recording_id)
        return recording

    async def accessible(self, caller: Caller, recording_id: str, permission: Permission) -> Recording:
        """The recording, for who holds `permission` in its room. Raises RecordingNotFound, InsufficientPermissions."""
        recording = await self._existing(recording_id)
        await self._rights.require(caller, await self._room_of(recording), permission)
        return recording

    async def _deletable(self, caller: Caller, recording_id: str) -> Recording:
        recording = await self.accessible(caller, recording_id, "canDeleteRecordings")
        if recording.status not in TERMINAL:
            raise RecordingNotStopped(recording_id)
        return recording

    async def _room_of(self, recording: Recording) -> Room:
        room = await self._rooms.get(recording.room_id)
        if room is None:  # deleted between the two reads, and the recording with it
            raise RecordingNotFound(recording.recording_id)
        return room

    async def _require_public_access(self, room_id: str) -> None:
        room = await self._rooms.get(room_id)
        if room is None or not room.access["anonymous"]["recording"]["enabled"]:
            raise AnonymousAccessDisabled(room_id, "recordings")

    async def _egress_of(self, recording: Recording) -> Egress:
        found = await self._media.list_egress(egress_id=recording.egress_id)
        if not found:
            raise RecordingNotFound(recording.egress_id)  # the wire names the egress here (contract 4.4)
        return found[0]


def _streamable(recording: Recording) -> Recording:
    if not recording.has_media:
        raise RecordingNotStreamable(recording.recording_id)
    return recording


def _kept(recording_id: str, why: MeetError) -> FailedRecording:
    """The contract has no word for a file that the store does not let go of."""
    return FailedRecording(recording_id, why.message if isinstance(why, RecordingElsewhere) else "Unexpected error")


def shared_path(recording_id: str, secret: str) -> str:
    """The page of a recording for who came by a link, below the base URL."""
    return f"/recording/{recording_id}?recordingSecret={secret}"
