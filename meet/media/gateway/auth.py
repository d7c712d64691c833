"""Access tokens: HS256 JWTs in LiveKit's claim format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import jwt

from meet.media.room import ParticipantKind, Permission, TrackSource

_LEEWAY_S = 60
_MAX_TOKEN = 32 * 1024


class TokenError(Exception):
    """The token is missing, invalid, expired, or does not allow joining. `str()` is fit for the client."""


@dataclass(frozen=True)
class JoinGrant:
    """Who wants to join which room, with which rights."""

    identity: str
    room: str
    name: str = ""
    metadata: str = ""
    attributes: dict[str, str] = field(default_factory=dict)
    kind: ParticipantKind = ParticipantKind.STANDARD
    permission: Permission = field(default_factory=Permission)
    claims: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def may_create_room(self) -> bool:
        return not (self.permission.hidden or self.permission.recorder)


def verify(token: str, keys: Mapping[str, str]) -> dict[str, Any]:
    """The claims of a token signed with one of `keys` (API key to secret). Raises TokenError."""
    if not token or len(token) > _MAX_TOKEN:
        raise TokenError("no permissions to access the room")
    try:
        issuer = jwt.decode(token, options={"verify_signature": False}).get("iss")
        secret = keys.get(issuer) if isinstance(issuer, str) else None
        if secret is None:
            raise TokenError("invalid API key")
        claims: dict[str, Any] = jwt.decode(
            token, secret, algorithms=["HS256"], leeway=_LEEWAY_S, options={"require": ["exp"]}
        )
    except jwt.ExpiredSignatureError as error:
        raise TokenError("invalid token: token is expired") from error
    except jwt.PyJWTError as error:
        raise TokenError("invalid token") from error
    return claims


def join_grant(claims: Mapping[str, Any]) -> JoinGrant:
    """What a verified token says about joining. Raises TokenError without roomJoin, room or identity."""
    video = claims.get("video")
    if not isinstance(video, dict) or video.get("roomJoin") is not True:
        raise TokenError("permissions denied: roomJoin is required")
    room, identity = video.get("room"), claims.get("sub")
    if not isinstance(room, str) or not room:
        raise TokenError("permissions denied: room is required")
    if not isinstance(identity, str) or not identity:
        raise TokenError("permissions denied: identity is required")
    attributes = claims.get("attributes")
    return JoinGrant(
        identity=identity,
        room=room,
        name=str(claims.get("name") or ""),
        metadata=str(claims.get("metadata") or ""),
        attributes={str(k): str(v) for k, v in attributes.items()} if isinstance(attributes, dict) else {},
        kind=_kind(claims.get("kind")),
        permission=_permission(video),
        claims=claims,
    )


def _permission(video: Mapping[str, Any]) -> Permission:
    def allowed(name: str, default: bool) -> bool:
        value = video.get(name)
        return default if value is None else value is True

    sources = video.get("canPublishSources") or ()
    return Permission(
        can_subscribe=allowed("canSubscribe", True),
        can_publish=allowed("canPublish", True),
        can_publish_data=allowed("canPublishData", True),
        can_publish_sources=frozenset(
            TrackSource[s.upper()] for s in sources if isinstance(s, str) and s.upper() in TrackSource.__members__
        ),
        can_update_metadata=allowed("canUpdateOwnMetadata", False),
        hidden=allowed("hidden", False),
        recorder=allowed("recorder", False),
    )


def _kind(value: Any) -> ParticipantKind:
    name = str(value or "standard").upper()
    return ParticipantKind[name] if name in ParticipantKind.__members__ else ParticipantKind.STANDARD
