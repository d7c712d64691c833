"""The JWTs of contract 3.8: HS256 with the media server's key pair, metadata as a JSON *string*, no `iat` claim."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias, cast, get_args

import jwt

from .callers import Badge, RoomMemberClaims
from .clock import Clock
from .errors import InvalidToken
from .model.permissions import complete
from .permission_names import Spelling
from .settings import CoreSettings

UserTokenType: TypeAlias = Literal["access", "temporary", "refresh"]

_BADGES: Final = frozenset(get_args(Badge))
_USER_TOKEN_TYPES: Final = frozenset(get_args(UserTokenType))


@dataclass(frozen=True, slots=True)
class UserClaims:
    """What a user token says. `issued_at` in ms."""

    user_id: str
    issued_at: int
    kind: UserTokenType


class TokenCodec:
    """Signs and verifies. Verification failures of any kind raise InvalidToken."""

    def __init__(self, settings: CoreSettings, clock: Clock) -> None:
        self._key = settings.livekit_api_key
        self._secret = settings.livekit_api_secret
        self._clock = clock
        self._spelling = Spelling(settings.mode)
        self._member_ttl = settings.room_member_token_ttl_s
        self._user_ttl: Mapping[UserTokenType, float] = {
            "access": settings.access_token_ttl_s,
            "temporary": settings.password_change_token_ttl_s,
            "refresh": settings.refresh_token_ttl_s,
        }

    def sign_user(self, user_id: str, name: str, token_type: UserTokenType) -> str:
        """A user's access, temporary or refresh token."""
        metadata = {"iat": self._clock.now_ms(), "tokenType": token_type}
        return self._sign(self._user_ttl[token_type], metadata, sub=user_id, name=name)

    def sign_member(self, claims: RoomMemberClaims) -> str:
        """A room member token; with an identity it is also the media server's access token (contract 3.8.2)."""
        metadata = self._spelling.for_media(member_metadata(claims))
        if claims.identity is None:
            return self._sign(self._member_ttl, metadata)
        video = _video_grant(claims)
        return self._sign(self._member_ttl, metadata, sub=claims.identity, name=claims.name or "", video=video)

    def verify_user(self, token: str) -> UserClaims:
        """A user token of any type; which types are welcome is the caller's decision."""
        payload = self._verify(token, leeway_s=0)
        metadata = _metadata(payload)
        subject, issued_at = payload.get("sub"), metadata.get("iat")
        token_type = metadata.get("tokenType")
        if not isinstance(subject, str) or not _is_number(issued_at) or token_type not in _USER_TOKEN_TYPES:
            raise InvalidToken
        return UserClaims(subject, cast(int, issued_at), cast(UserTokenType, token_type))

    def verify_member(self, token: str, *, leeway_s: int = 0) -> RoomMemberClaims:
        """A room member token, with `leeway_s` seconds of tolerance on its times."""
        payload = self._verify(token, leeway_s=leeway_s)
        claims = parse_member_metadata(_metadata(payload), payload.get("sub"), payload.get("name"))
        if claims is None:
            raise InvalidToken
        return claims

    def _sign(self, ttl_s: float, metadata: Mapping[str, Any], **claims: Any) -> str:
        now = self._clock.now_ms() // 1000
        payload = {
            "iss": self._key,
            "nbf": now,
            "exp": now + int(ttl_s),
            **claims,
            "metadata": json.dumps(metadata, ensure_ascii=False, separators=(",", ":")),
        }
        return jwt.encode(payload, self._secret, algorithm="HS256")

    def _verify(self, token: str, *, leeway_s: int) -> dict[str, Any]:
        """Times are checked here, against the injected clock."""
        options: Any = {
            "require": ["exp", "iss"],
            "verify_exp": False,
            "verify_nbf": False,
            "verify_iat": False,
            "verify_aud": False,
            "verify_sub": False,
        }
        try:
            payload = jwt.decode(token, self._secret, algorithms=["HS256"], issuer=self._key, options=options)
        except jwt.InvalidTokenError:
            raise InvalidToken from None
        now = self._clock.now_ms() / 1000
        expires, not_before = payload["exp"], payload.get("nbf", 0)
        if not _is_number(expires) or not _is_number(not_before):
            raise InvalidToken
        if expires + leeway_s <= now or not_before - leeway_s > now:
            raise InvalidToken
        return payload


def member_metadata(claims: RoomMemberClaims) -> dict[str, Any]:
    """The metadata object of a room member token and of its participant (contract 3.8.1); absent keys are omitted."""
    document: dict[str, Any] = {
        "iat": claims.iat,
        "roomId": claims.room_id,
        "memberId": claims.member_id,
        "userId": claims.user_id,
        "permissions": claims.permissions,
        "badge": claims.badge,
        "isPromotedModerator": claims.is_promoted_moderator,
        "livekitUrl": claims.livekit_url,
    }
    return {name: value for name, value in document.items() if value is not None}


def parse_member_metadata(
    metadata: Mapping[str, Any], identity: object = None, name: object = None
) -> RoomMemberClaims | None:
    """Claims from a metadata object, or None when it does not have the shape of contract 3.8.1."""
    issued_at, room_id, badge = metadata.get("iat"), metadata.get("roomId"), metadata.get("badge")
    stated = metadata.get("permissions")
    permissions = complete(stated) if isinstance(stated, dict) else None
    if not _is_number(issued_at) or not isinstance(room_id, str) or permissions is None or badge not in _BADGES:
        return None
    optional = [metadata.get(key) for key in ("memberId", "userId", "livekitUrl")]
    if not all(value is None or isinstance(value, str) for value in (*optional, identity, name)):
        return None
    promoted = metadata.get("isPromotedModerator")
    if not (promoted is None or isinstance(promoted, bool)):
        return None
    member_id, user_id, livekit_url = cast("list[str | None]", optional)
    return RoomMemberClaims(
        iat=cast(int, issued_at),
        room_id=room_id,
        permissions=permissions,
        badge=cast(Badge, badge),
        member_id=member_id,
        user_id=user_id,
        is_promoted_moderator=promoted,
        livekit_url=livekit_url,
        identity=cast("str | None", identity),
        name=cast("str | None", name),
    )


def decode_metadata(text: str) -> dict[str, Any] | None:
    """A metadata string as an object, None when it is not one."""
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _video_grant(claims: RoomMemberClaims) -> dict[str, Any]:
    held = claims.permissions
    sources: list[str] = []
    if held["canPublishAudio"]:
        sources.append("microphone")
    if held["canPublishVideo"]:
        sources.append("camera")
    if held["canShareScreen"]:
        sources += ["screen_share", "screen_share_audio"]
    return {
        "room": claims.room_id,
        "roomJoin": True,
        "canPublish": bool(sources),
        "canPublishSources": sources,
        "canSubscribe": True,
        "canPublishData": True,
        "canUpdateOwnMetadata": True,
    }


def _metadata(payload: Mapping[str, Any]) -> dict[str, Any]:
    text = payload.get("metadata")
    metadata = decode_metadata(text) if isinstance(text, str) else None
    if metadata is None:
        raise InvalidToken
    return metadata


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
