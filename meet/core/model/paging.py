"""List requests: text matching, sorting, keyset paging (contract 2.0.3, 2.0.5)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Literal, TypeAlias, TypeVar

from .recording import RecordingStatus
from .room import RoomStatus

MatchMode: TypeAlias = Literal["exact", "prefix", "partial", "regex"]
SortOrder: TypeAlias = Literal["asc", "desc"]

T = TypeVar("T")
U = TypeVar("U")


@dataclass(frozen=True, slots=True)
class TextMatch:
    """A text filter; `field` names the query parameter for error reports."""

    value: str
    mode: MatchMode = "exact"
    ignore_case: bool = False
    field: str = "roomName"


@dataclass(frozen=True, slots=True)
class PageRequest:
    """One page. `max_items` is already clamped to 1..100; `token` is what the previous page returned."""

    sort_field: str
    sort_order: SortOrder = "desc"
    max_items: int = 10
    token: str | None = None


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Items and the token of the next page, None on the last one."""

    items: tuple[T, ...]
    next_token: str | None
    max_items: int

    def map(self, change: Callable[[T], U]) -> Page[U]:
        """The same page with every item changed."""
        return Page(tuple(change(item) for item in self.items), self.next_token, self.max_items)


@dataclass(frozen=True, slots=True)
class Reach:
    """An OR group: owned by, member of (as that user), or open to every user. Nothing set matches nothing."""

    owner: str | None = None
    member: str | None = None
    user_access: bool = False


@dataclass(frozen=True, slots=True)
class RoomQuery:
    """Filters of a room list as the client sent them; `owner`, `member`, `user_access` are OR-ed."""

    page: PageRequest
    name: TextMatch | None = None
    status: RoomStatus | None = None
    owner: str | None = None
    member: str | None = None
    user_access: bool = False


@dataclass(frozen=True, slots=True)
class RoomFilter:
    """What the repository is asked for: `reach` None means every room."""

    name: TextMatch | None = None
    status: RoomStatus | None = None
    reach: Reach | None = None
    expired_before: int | None = None


@dataclass(frozen=True, slots=True)
class RecordingQuery:
    """Filters of a recording list; `room_id` wins over `name`."""

    page: PageRequest
    room_id: str | None = None
    name: TextMatch | None = None
    status: RecordingStatus | None = None


@dataclass(frozen=True, slots=True)
class RecordingFilter:
    """What the repository is asked for: `reach` None means every recording."""

    room_id: str | None = None
    name: TextMatch | None = None
    status: RecordingStatus | None = None
    reach: Reach | None = None
