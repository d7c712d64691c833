"""The interfaces that the outside implements for the domain.

Repositories: `meet/db`. Media server: `meet/livekit`. Blob store: `storage` (structurally compatible). Every method is
async; a repository over SQLite answers reads inline and hands writes to its writer thread.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from .clock import Clock
from .model.encoding import Encoding, Layout
from .model.media import MediaParticipant
from .model.paging import Page, PageRequest, RecordingFilter, RoomFilter
from .model.recording import Egress, Recording, RecordingLock, RecordingStatus
from .model.room import Room, RoomMember, RoomStatus
from .model.user import ApiKey, GlobalConfig, User

__all__ = [
    "AccountRepository",
    "BlobDeleter",
    "Clock",
    "MediaServer",
    "MemberRepository",
    "NameRepository",
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

    async def page(self, wanted: RoomFilter, request: PageRequest) -> Page[Room]:
        """One page. Raises ValidationFailed for a bad cursor or regular expression."""
        ...

    async def ids_with_status(self, status: RoomStatus) -> list[str]: ...

    async def modify(self, room_id: str, change: Callable[[Room], Room]) -> Room | None:
        """Read, change and write in one transaction; None when absent.

        `change` is pure. Returning an equal room writes nothing; raising leaves the room as it was."""
        ...

    async def delete(self, room_id: str, *, even_active: bool = False) -> bool:
        """Remove the room with its members, lock and names. False when absent, or in a meeting unless `even_active`.

        Raises RoomStillHasRecordings while recordings of it remain."""
        ...


class MemberRepository(Protocol):
    """Room members, read side."""

    async def get(self, room_id: str, member_id: str) -> RoomMember | None: ...


class RecordingRepository(Protocol):
    """Recordings, the per-room lock, and tombstones of deleted recordings."""

    async def acquire_lock(self, room_id: str, key: str, now: int) -> bool:
        """Atomically become the one recording of the room; False when there already is one."""
        ...

    async def release_lock(self, room_id: str, key: str) -> bool: ...

    async def locks(self) -> list[RecordingLock]: ...

    async def create(self, recording: Recording) -> bool:
        """Insert; False when it is stored already, was deleted or abandoned before, or its room is gone.

        One in progress also takes the room's lock when nobody holds it, so that an egress started elsewhere counts."""
        ...

    async def advance(self, recording: Recording) -> Recording | None:
        """Write status, times and results where the stored status may move to the new one; None when it may not.

        Entering a final status releases the room's lock in the same transaction."""
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

    async def unfinished_deletes(self) -> list[Recording]:
        """Rows hidden by a deletion that never finished (crash)."""
        ...

    async def abandon(self, room_id: str, key: str, now: int) -> Recording | None:
        """Forget a start that failed: row removed, lock released, tombstone left, in one transaction.

        When the recording has become active in the meantime nothing changes and it is returned."""
        ...

    async def is_tombstoned(self, key: str) -> bool: ...

    async def prune_tombstones(self, before: int) -> int: ...

    async def set_room_user_access(self, room_id: str, allowed: bool) -> None: ...


class NameRepository(Protocol):
    """Reserved display names, per room and without case (contract 7.1)."""

    async def reserve(self, room_id: str, name: str, now: int, expires_at: int) -> str:
        """Reserve `name`, or the first free `<base>_<n>`; returns what was reserved."""
        ...

    async def release(self, room_id: str, name: str) -> None: ...

    async def release_room(self, room_id: str) -> None: ...


class AccountRepository(Protocol):
    """Users, API keys and the global configuration."""

    async def initialise(self, config: GlobalConfig, admin: User, key: ApiKey | None) -> bool:
        """First start of a project id: store all three in one transaction, the admin only if absent. False when the
        configuration already exists (then nothing is written)."""
        ...

    async def get_user(self, user_id: str) -> User | None: ...

    async def set_password(self, user_id: str, password_hash: str, must_change: bool) -> bool: ...

    async def api_keys(self) -> list[ApiKey]: ...

    async def get_config(self, project_id: str) -> GlobalConfig | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Repositories:
    """Everything the database implements; `meet.db.Database.repositories()` makes one."""

    rooms: RoomRepository
    members: MemberRepository
    recordings: RecordingRepository
    names: NameRepository
    accounts: AccountRepository


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

    async def start_room_composite(self, room: str, *, layout: Layout, encoding: Encoding, key: str) -> Egress: ...

    async def stop_egress(self, egress_id: str) -> Egress:
        """Raises EgressNotFound or EgressNotActive."""
        ...

    async def list_egress(
        self, *, room: str | None = None, egress_id: str | None = None, active: bool | None = None
    ) -> list[Egress]: ...


class BlobDeleter(Protocol):
    """The one thing the domain itself asks of the blob store; reading bytes is the HTTP layer's business."""

    async def delete(self, keys: Sequence[str]) -> None:
        """Remove objects; missing ones are fine."""
        ...
