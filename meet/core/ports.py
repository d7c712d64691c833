"""The interfaces that the outside implements for the domain.

Repositories: `meet/db`. Media server: `meet/livekit`. Blob store: `storage` (structurally compatible). Every method is
async; a repository over SQLite answers reads inline and hands writes to its writer thread.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from .account_ports import AnalyticsRepository, UserRepository
from .assistant_ports import CaptionUserRepository
from .clock import Clock
from .errors import MeetError
from .model.encoding import Encoding, Layout
from .model.media import MediaParticipant
from .model.member import Candidacy, MemberFilter
from .model.paging import Page, PageRequest, RecordingFilter, RoomFilter
from .model.participant import ParticipantGrant
from .model.recording import Egress, Recording, RecordingLock, RecordingStatus
from .model.room import Room, RoomMember, RoomStatus
from .model.user import ApiKey, GlobalConfig, User
from .model.webhook import Announcement
from .recorder_ports import RecordingFactsRepository
from .share_ports import ShareLinkRepository
from .store_ports import RecordingPlaces
from .webhook_ports import OutboxRepository

__all__ = [
    "AccountRepository",
    "BlobDeleter",
    "Clock",
    "MediaServer",
    "MemberRepository",
    "NameRepository",
    "ParticipantGrantRepository",
    "RecordingRepository",
    "Repositories",
    "RoomRepository",
    "RoomStillHasRecordings",
]


class RoomStillHasRecordings(Exception):
    """A room cannot be removed while the database holds recordings of it (a foreign key says so)."""


class RoomRepository(Protocol):
    """Rooms."""

    async def add(self, room: Room) -> None: ...

    async def get(self, room_id: str) -> Room | None: ...

    async def settled(self) -> None:
        """Wait until every change that was asked for before, of rooms or anything else, can be read."""
        ...

    async def page(self, wanted: RoomFilter, request: PageRequest) -> Page[Room]:
        """One page. Raises ValidationFailed for a bad cursor or regular expression."""
        ...

    async def ids_with_status(self, status: RoomStatus) -> list[str]: ...

    async def modify(
        self,
        room_id: str,
        change: Callable[[Room], Room],
        announce: Callable[[Room], Announcement] | None = None,
        *,
        roles_changed: bool = False,
    ) -> Room | None:
        """Read, change and write in one transaction; None when absent.

        With `roles_changed` every member's effective permissions are computed again in the same transaction, and are
        dated with the room's `roles_updated_at`. Recordings of the room follow its `speaker_may_retrieve`.

        `change` is pure. Returning an equal room writes nothing; raising leaves the room as it was. What `announce`
        makes of the new room goes to the outbox in the same transaction."""
        ...

    async def delete(
        self,
        room_id: str,
        *,
        even_active: bool = False,
        announce: Callable[[Room], Announcement] | None = None,
    ) -> bool:
        """Remove the room with its members, lock and names. False when absent, or in a meeting unless `even_active`.

        What `announce` makes of the last known room goes to the outbox in the same transaction. Raises
        RoomStillHasRecordings while recordings of it remain."""
        ...


class MemberRepository(Protocol):
    """Room members. Their permissions follow the room's roles: see `RoomRepository.modify`."""

    async def get(self, room_id: str, member_id: str) -> RoomMember | None: ...

    async def page(self, room_id: str, wanted: MemberFilter, request: PageRequest) -> Page[RoomMember]:
        """One page of a room's members. Raises ValidationFailed for a bad cursor or regular expression."""
        ...

    async def add(
        self, room_id: str, user_id: str | None, make: Callable[[Candidacy], RoomMember]
    ) -> RoomMember | None:
        """Store what `make` (a pure function) makes of the state the transaction finds; None without the room.

        Raising in `make` stores nothing."""
        ...

    async def modify(
        self, room_id: str, member_id: str, change: Callable[[Room, RoomMember], RoomMember]
    ) -> RoomMember | None:
        """Read, change (a pure function) and write in one transaction; None when absent."""
        ...

    async def remove(self, room_id: str, member_ids: Sequence[str]) -> list[str]:
        """Remove them; returns those that were there, in the given order."""
        ...


class RecordingRepository(Protocol):
    """Recordings, the per-room lock, and tombstones of deleted recordings."""

    async def acquire_lock(self, room_id: str, key: str, now: int) -> bool:
        """Atomically become the one recording of the room; False when there already is one."""
        ...

    async def release_lock(self, room_id: str, key: str) -> bool: ...

    async def locks(self) -> list[RecordingLock]: ...

    async def create(self, recording: Recording, announcements: Sequence[Announcement] = ()) -> bool:
        """Insert; False when it is stored already, was deleted or abandoned before, or its room is gone.

        When it is inserted, `announcements` go to the outbox. One in progress also takes the room's lock when nobody
        holds it, so that an egress started elsewhere counts."""
        ...

    async def advance(
        self, recording: Recording, announce: Callable[[Recording], Announcement | None] | None = None
    ) -> Recording | None:
        """Write status, times and results where the stored status may move to the new one; None when it may not.

        In the same transaction entering a final status releases the room's lock, and what `announce` makes of the
        recording as it was before goes to the outbox."""
        ...

    async def get(self, recording_id: str) -> Recording | None:
        """None for those being deleted, too."""
        ...

    async def get_by_egress(self, egress_id: str) -> Recording | None: ...

    async def page(self, wanted: RecordingFilter, request: PageRequest) -> Page[Recording]: ...

    async def with_status(self, statuses: frozenset[RecordingStatus]) -> list[Recording]: ...

    async def of_room(self, room_id: str) -> list[Recording]: ...

    async def any_of_room(self, room_id: str) -> bool: ...

    async def in_progress_of_room(self, room_id: str) -> Recording | None: ...

    async def begin_delete(self, recording_ids: Sequence[str], now: int) -> list[str]:
        """Hide finished recordings before their media goes; returns the ids this call has hidden."""
        ...

    async def cancel_delete(self, recording_ids: Sequence[str]) -> None:
        """Show them again: their media could not be removed."""
        ...

    async def finish_delete(self, recording_ids: Sequence[str], now: int) -> None:
        """Remove hidden rows and leave tombstones, so that no late event brings them back."""
        ...

    async def unfinished_deletes(self, recording_ids: Sequence[str] | None = None) -> list[Recording]:
        """Rows hidden by a deletion that is not finished, or never will be (crash); of `recording_ids`, if given."""
        ...

    async def abandon(
        self,
        room_id: str,
        key: str,
        now: int,
        announce: Callable[[Recording], Announcement] | None = None,
    ) -> Recording | None:
        """Forget a start that failed: row removed, lock released, tombstone left, in one transaction.

        When the recording has become active in the meantime nothing changes and it is returned; otherwise what
        `announce` makes of a row that was still starting goes to the outbox."""
        ...

    async def is_tombstoned(self, key: str) -> bool: ...

    async def prune_tombstones(self, before: int) -> int: ...


class NameRepository(Protocol):
    """Reserved display names, per room and without case (contract 7.1)."""

    async def reserve(self, room_id: str, name: str, now: int, expires_at: int) -> str:
        """Reserve `name`, or the first free `<base>_<n>`; returns what was reserved."""
        ...

    async def release(self, room_id: str, name: str) -> None: ...

    async def release_room(self, room_id: str) -> None: ...


class ParticipantGrantRepository(Protocol):
    """Rights of participants, by room and identity: what join tokens said, and promotions."""

    async def get(self, room_id: str, identity: str) -> ParticipantGrant | None: ...

    async def issue(
        self, room_id: str, identity: str, own: ParticipantGrant, now: int, *, keep_promotion: bool = False
    ) -> ParticipantGrant:
        """Remember the own rights of a join token; returns what is stored now. Raises RoomNotFound.

        A promotion ends with this, unless it is to be kept and the badge is still `other`."""
        ...

    async def set_promoted(self, room_id: str, identity: str, promoted: bool) -> ParticipantGrant | None:
        """Atomically promote one with badge `other`, or take that back; None when nothing was to be changed."""
        ...

    async def of_user(self, user_id: str) -> list[tuple[str, str]]:
        """Room ids and identities of a registered user's join tokens, whether or not they are used."""
        ...

    async def end_meeting(self, room_id: str, issued_before: int) -> None:
        """End all promotions, and forget rights whose tokens are older (ms). Younger ones may join the next meeting."""
        ...


class AccountRepository(Protocol):
    """Users, API keys and the global configuration."""

    async def initialise(self, config: GlobalConfig, admin: User, key: ApiKey | None) -> bool:
        """First start of a project id: store all three in one transaction, the admin only if absent. False when the
        configuration already exists (then nothing is written)."""
        ...

    async def get_user(self, user_id: str) -> User | None: ...

    async def set_password(
        self, user_id: str, password_hash: str, must_change: bool, *, sessions_since: int | None = None
    ) -> bool:
        """False when absent. `sessions_since` (ms), when given, ends everything that began before."""
        ...

    async def api_keys(self) -> list[ApiKey]: ...

    async def replace_api_key(self, key: ApiKey | None) -> None:
        """Make it the only key, or leave none."""
        ...

    async def get_config(self, project_id: str) -> GlobalConfig | None: ...

    async def modify_config(
        self, project_id: str, change: Callable[[GlobalConfig], GlobalConfig]
    ) -> GlobalConfig | None:
        """Read, change (a pure function) and write in one transaction; None when the project id is unknown."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Repositories:
    """Everything the database implements; `meet.db.Database.repositories()` makes one."""

    rooms: RoomRepository
    members: MemberRepository
    recordings: RecordingRepository
    recording_facts: RecordingFactsRepository
    recording_places: RecordingPlaces
    share_links: ShareLinkRepository
    names: NameRepository
    participants: ParticipantGrantRepository
    accounts: AccountRepository
    outbox: OutboxRepository
    users: UserRepository
    analytics: AnalyticsRepository
    caption_users: CaptionUserRepository


class MediaServer(Protocol):
    """The media server behind LiveKit's RoomService and Egress APIs.

    All failures raise MediaServerError; MediaServerUnavailable when it cannot be reached."""

    async def create_room(
        self, name: str, *, metadata: str, empty_timeout_s: int, departure_timeout_s: int
    ) -> None: ...

    async def delete_room(self, name: str) -> None:
        """End the meeting; absent is fine."""
        ...

    async def list_rooms(self) -> list[str]: ...

    async def list_participants(self, room: str) -> list[MediaParticipant]:
        """Visible participants; hidden ones (recorders) are left out."""
        ...

    async def get_participant(self, room: str, identity: str) -> MediaParticipant | None: ...

    async def remove_participant(self, room: str, identity: str) -> bool: ...

    async def update_participant_metadata(self, room: str, identity: str, metadata: str) -> None: ...

    async def send_data(
        self,
        room: str,
        payload: bytes,
        *,
        topic: str,
        identities: Sequence[str] = (),
        sids: Sequence[str] = (),
    ) -> None: ...

    async def start_room_composite(
        self, room: str, *, layout: Layout, encoding: Encoding, key: str, audio_only: bool = False
    ) -> Egress:
        """Raises RecordingRefused, ValidationFailed (encoding)."""
        ...

    async def stop_egress(self, egress_id: str) -> Egress:
        """Raises EgressNotFound or EgressNotActive."""
        ...

    async def update_layout(self, egress_id: str, layout: Layout) -> Egress:
        """Arrange the picture of a running one differently. Raises EgressNotFound or EgressNotActive."""
        ...

    async def list_egress(
        self, *, room: str | None = None, egress_id: str | None = None, active: bool | None = None
    ) -> list[Egress]: ...


class BlobDeleter(Protocol):
    """The one thing the domain itself asks of the blob stores; reading bytes is the HTTP layer's business."""

    async def delete(self, recordings: Sequence[Recording]) -> Mapping[str, MeetError]:
        """Remove their files, all copies of them; missing ones are fine.

        By recording id: why some are kept (RecordingKept, RecordingElsewhere). Raises what the store does when that is
        why nothing was removed."""
        ...

    async def discard(self, key: str, store: str | None) -> None:
        """Remove the file of no recording, if there is one. store: as `Recording.store`. Raises what the store does."""
        ...
