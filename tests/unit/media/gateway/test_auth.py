"""Tokens: what is accepted and what becomes of the grants."""

from __future__ import annotations

import time
from typing import Any

import jwt
import pytest

from meet.media.gateway.auth import TokenError, join_grant, verify
from meet.media.room import ParticipantKind, TrackSource

KEYS = {"key": "s" * 32}


def token(secret: str = "s" * 32, *, algorithm: str = "HS256", **claims: Any) -> str:
    base: dict[str, Any] = {"iss": "key", "sub": "alice", "exp": int(time.time()) + 60}
    base["video"] = {"roomJoin": True, "room": "room"}
    base.update(claims)
    return jwt.encode({k: v for k, v in base.items() if v is not None}, secret, algorithm=algorithm)


def test_a_plain_token() -> None:
    grant = join_grant(verify(token(name="Alice", metadata="m", attributes={"a": "1"}), KEYS))
    assert (grant.identity, grant.room, grant.name, grant.metadata) == ("alice", "room", "Alice", "m")
    assert grant.attributes == {"a": "1"}
    assert grant.permission.can_publish
    assert grant.permission.can_subscribe
    assert not grant.permission.can_update_metadata
    assert grant.may_create_room


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "x.y.z",
        token("o" * 32),
        token(iss="other"),
        token(iss=None),
        token(exp=int(time.time()) - 3600),
        token(exp=None),
        token(nbf=int(time.time()) + 3600),
        token("s" * 64, algorithm="HS512"),
        jwt.encode({"iss": "key", "sub": "a", "exp": 9_999_999_999}, "", algorithm="none"),
        "a" * 40_000,
    ],
)
def test_bad_tokens(bad: str) -> None:
    with pytest.raises(TokenError):
        verify(bad, KEYS)


@pytest.mark.parametrize(
    "claims",
    [
        {"video": None},
        {"video": {"room": "room"}},
        {"video": {"roomJoin": "yes", "room": "room"}},
        {"video": {"roomJoin": True}},
        {"sub": None},
        {"sub": ""},
    ],
)
def test_tokens_that_do_not_allow_joining(claims: dict[str, Any]) -> None:
    with pytest.raises(TokenError):
        join_grant(verify(token(**claims), KEYS))


def test_grants_and_kind() -> None:
    video = {
        "roomJoin": True,
        "room": "r",
        "canPublish": False,
        "canSubscribe": False,
        "canPublishData": False,
        "canPublishSources": ["microphone", "screen_share", "nonsense"],
        "canUpdateOwnMetadata": True,
        "hidden": True,
        "recorder": True,
    }
    grant = join_grant(verify(token(video=video, kind="egress"), KEYS))
    permission = grant.permission
    assert grant.kind is ParticipantKind.EGRESS
    assert not (permission.can_publish or permission.can_subscribe or permission.can_publish_data)
    assert permission.can_publish_sources == {TrackSource.MICROPHONE, TrackSource.SCREEN_SHARE}
    assert permission.can_update_metadata
    assert permission.hidden
    assert permission.recorder
    assert not grant.may_create_room
