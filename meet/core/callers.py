"""Who is asking: the result of authentication, handed to every service method that checks rights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from .model.permissions import Permissions
from .model.user import User

CallerKind: TypeAlias = Literal["api_key", "user", "room_member", "anonymous"]
Badge: TypeAlias = Literal["owner", "admin", "moderator", "other"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomMemberClaims:
    """Metadata of a room member token (contract 3.8.1) plus `sub` and `name` of the token. `iat` in ms."""

    iat: int
    room_id: str
    permissions: Permissions
    badge: Badge
    member_id: str | None = None
    user_id: str | None = None
    is_promoted_moderator: bool | None = None
    livekit_url: str | None = None
    identity: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated (or anonymous) caller.

    `user` is the root admin for an API key, the token's user for an access token, and may accompany the other two
    kinds when a valid access token came along. The room member context wins whenever permissions are computed.
    """

    kind: CallerKind
    user: User | None = None
    member: RoomMemberClaims | None = None

    @property
    def is_admin(self) -> bool:
        return self.member is None and self.user is not None and self.user.role == "admin"


ANONYMOUS = Caller("anonymous")
