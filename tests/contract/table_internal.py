"""Internal operations and the media server's events: contract 2.5.1, 2.5.3, 2.5.5, 5.6.

Their credentials are part of what they are about, so each exchange is written out.
"""

# ruff: noqa: E501  (a table reads best with one exchange per line)
from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from meet.core.model.permissions import ALL, overlay

from .table import TOO_LARGE, Prepare
from .table_rooms import NO_ROOM, broken, closing
from .world import API_KEY, GONE, PASSWORD, Scene, signature

Headers = Callable[[Scene], Mapping[str, str]]

TOKEN = "/internal-api/v1/rooms/{room}/members/token"
REFRESH = TOKEN + "/refresh"
LOGIN = "/internal-api/v1/auth/login"
RENEW = "/internal-api/v1/auth/refresh"
ME = "/internal-api/v1/users/me"
PASSWORDS = "/internal-api/v1/users/change-password"
EVENTS = "/livekit/webhook"


@dataclass(frozen=True)
class Exchange:
    """One request and the status of its answer."""

    id: str
    name: str
    method: str
    path: str
    status: int
    body: Any = None
    headers: Headers = field(default=lambda _scene: {})
    content: bytes | None = None
    prepare: Prepare | None = None
    error: str | None = None


def editor(scene: Scene) -> dict[str, str]:
    """An administrator with a version that is not there any more."""
    return {**user("admin")(scene), "If-Match": 'W/"0123456789abcdef.1f-xyz"'}


def user(name: str) -> Headers:
    return lambda scene: {"Authorization": f"Bearer {scene.world.user_token(name)}"}


def key(_scene: Scene) -> Mapping[str, str]:
    return {"X-API-KEY": API_KEY}


def wrong_key(_scene: Scene) -> Mapping[str, str]:
    return {"X-API-KEY": "ovmeet-wrong"}


def forged(_scene: Scene) -> Mapping[str, str]:
    return {"Authorization": "Bearer eyJhbGciOiJIUzI1NiJ9.e30.AAAA"}


def renewal(kind: Any, name: str = "admin") -> Headers:
    return lambda scene: {"X-Refresh-Token": f"Bearer {scene.world.codec.sign_user(name, name, kind)}"}


def participant(room: str = "room") -> Headers:
    """A join token of somebody who is in the meeting."""

    def headers(scene: Scene) -> Mapping[str, str]:
        chosen = scene.room if room == "room" else scene.other
        token = scene.world.member_token(chosen.room_id, overlay(ALL, None), identity="ana-1", name="Ana")
        return {"X-Room-Member-Token": f"Bearer {token}"}

    return headers


def not_joining(scene: Scene) -> Mapping[str, str]:
    return {"X-Room-Member-Token": f"Bearer {scene.moderator()}"}


async def present(scene: Scene) -> None:
    """The participant is in the meeting, with the metadata its token gave it."""
    token = scene.world.member_token(scene.room.room_id, overlay(ALL, None), identity="ana-1", name="Ana")
    scene.world.media.join(scene.room.room_id, "ana-1", metadata=scene.world.metadata_of(token))


async def accounts_gone(scene: Scene) -> None:
    scene.world.accounts.broken = GONE


async def media_server_away(scene: Scene) -> None:
    scene.world.media.reachable = False


async def media_server_fails(scene: Scene) -> None:
    scene.world.media.failure = f"getting LiveKit room '{scene.room.room_id}'"


async def moderators_shut_out(scene: Scene) -> None:
    access = scene.room.access
    anonymous = access["anonymous"]
    off = {**access, "anonymous": {**anonymous, "moderator": {**anonymous["moderator"], "enabled": False}}}
    await scene.change_room(lambda room: replace(room, access=off))  # type: ignore[arg-type]


EVENT = b'{"event":"room_started","id":"EV_1","room":{"name":"daily-000000000000000"}}'


def signed(content: bytes) -> Headers:
    return lambda _scene: signature(content)


def token(name: str, status: int, body: Any = None, headers: Headers | None = None, **more: Any) -> Exchange:
    more.setdefault("path", TOKEN)
    if headers is not None:
        more["headers"] = headers
    return Exchange("generateRoomMemberToken", name, "POST", status=status, body={} if body is None else body, **more)


def secret(role: str, **more: Any) -> dict[str, Any]:
    return {"secret": "{" + role + "}", **more}


SHUT = "Anonymous access in room '{room}' is disabled for role 'moderator'"

EXCHANGES = [
    Exchange("login", "good", "POST", LOGIN, 200, {"userId": "admin", "password": PASSWORD}),
    Exchange("login", "wrong password", "POST", LOGIN, 404, {"userId": "admin", "password": "wrong"}, error="Invalid user ID or password"),
    Exchange("login", "unknown user", "POST", LOGIN, 404, {"userId": "nobody", "password": PASSWORD}, error="Invalid user ID or password"),
    Exchange("login", "short", "POST", LOGIN, 422, {"userId": "adm", "password": "x"}, error="userId must be at least 5 characters long"),
    Exchange("login", "malformed", "POST", LOGIN, 400, content=b"{", error="Malformed body"),
    Exchange("login", "huge", "POST", LOGIN, 413, content=TOO_LARGE.content),
    Exchange("login", "database gone", "POST", LOGIN, 500, {"userId": "admin", "password": PASSWORD}, prepare=accounts_gone, error="Unexpected error while generating access and refresh tokens"),
    Exchange("logout", "anybody", "POST", "/internal-api/v1/auth/logout", 200),
    Exchange("refreshToken", "good", "POST", RENEW, 200, headers=renewal("refresh")),
    Exchange("refreshToken", "none", "POST", RENEW, 400, error="No refresh token provided"),
    Exchange("refreshToken", "an access token", "POST", RENEW, 400, headers=renewal("access"), error="Invalid refresh token"),
    Exchange("refreshToken", "of a deleted user", "POST", RENEW, 403, headers=renewal("refresh", "ghost"), error="Invalid token subject"),
    Exchange("refreshToken", "of a newcomer", "POST", RENEW, 403, headers=renewal("refresh", "newcomer")),
    Exchange("refreshToken", "database gone", "POST", RENEW, 500, headers=renewal("refresh"), prepare=accounts_gone, error="Unexpected error while refreshing token"),
    Exchange("getMe", "admin", "GET", ME, 200, headers=user("admin")),
    Exchange("getMe", "member", "GET", ME, 200, headers=user("member")),
    Exchange("getMe", "newcomer", "GET", ME, 200, headers=user("newcomer")),
    Exchange("getMe", "nobody", "GET", ME, 401, error="Unauthorized"),
    Exchange("getMe", "API key", "GET", ME, 401, headers=key, error="Unauthorized"),
    Exchange("getMe", "forged", "GET", ME, 401, headers=forged, error="Invalid token"),
    Exchange("getMe", "room member", "GET", ME, 401, headers=not_joining, error="Unauthorized"),
    Exchange("getMe", "deleted user", "GET", ME, 403, headers=user("ghost"), error="Invalid token subject"),
    Exchange("getMe", "database gone", "GET", ME, 500, headers=user("admin"), prepare=accounts_gone, error="Unexpected error while getting user"),
    Exchange("changePassword", "good", "POST", PASSWORDS, 200, {"currentPassword": PASSWORD, "newPassword": PASSWORD}, user("admin")),
    Exchange("changePassword", "wrong", "POST", PASSWORDS, 400, {"currentPassword": "wrong", "newPassword": "long enough"}, user("admin"), error="Invalid current password"),
    Exchange("changePassword", "malformed", "POST", PASSWORDS, 400, content=b"{", error="Malformed body"),
    Exchange("changePassword", "huge", "POST", PASSWORDS, 413, content=TOO_LARGE.content),
    Exchange("changePassword", "nobody", "POST", PASSWORDS, 401, {}),
    Exchange("changePassword", "API key", "POST", PASSWORDS, 401, {}, key),
    Exchange("changePassword", "deleted user", "POST", PASSWORDS, 403, {}, user("ghost")),
    Exchange("changePassword", "short", "POST", PASSWORDS, 422, {"currentPassword": "x", "newPassword": "new"}, user("newcomer"), error="New password must be at least 5 characters long"),
    Exchange("changePassword", "database gone", "POST", PASSWORDS, 500, {"currentPassword": PASSWORD, "newPassword": PASSWORD}, user("admin"), prepare=accounts_gone, error="Unexpected error while changing password"),
    Exchange("getCaptionsConfig", "anybody", "GET", "/internal-api/v1/config/captions", 200),
    token("moderator link", 200, secret("moderator")),
    token("speaker link, joining", 200, secret("speaker", joinMeeting=True, participantName="Ana")),
    token("recording link", 200, secret("recording_link")),
    token("a link and a forged login", 200, secret("speaker"), forged),
    token("a link and a wrong key", 200, secret("speaker"), wrong_key),
    token("API key", 200, {"joinMeeting": True, "participantName": "Robot"}, key),
    token("admin", 200, headers=user("admin")),
    token("same participant again", 200, secret("moderator", joinMeeting=True), participant(), prepare=present),
    token("unknown secret", 400, {"secret": "ffffffffff"}, error="Secret 'ffffffffff' is not recognized for room '{room}'"),
    token("no name", 400, secret("speaker", joinMeeting=True)),
    token("malformed", 400, content=b"{", error="Malformed body"),
    token("huge", 413, content=TOO_LARGE.content),
    token("nobody", 401, error="Unauthorized"),
    token("empty secret", 401, {"secret": ""}, error="Unauthorized"),
    token("wrong key", 401, headers=wrong_key, error="Invalid API key"),
    token("forged login", 401, headers=forged, error="Invalid token"),
    token("moderators shut out", 403, secret("moderator"), prepare=moderators_shut_out, error=SHUT),
    token("recording link, joining", 403, secret("recording_link", joinMeeting=True, participantName="Ana")),
    token("a user without access", 403, headers=user("member")),
    token("newcomer", 403, headers=user("newcomer")),
    token("token of another room", 403, secret("moderator", joinMeeting=True), participant("other")),
    token("no room", 404, {"secret": "x"}, path=TOKEN.replace("{room}", NO_ROOM), error=f"Room '{NO_ROOM}' does not exist"),
    token("unknown guest", 404, {"secret": "guest-0123456789"}, error="Room member 'guest-0123456789' not found in room '{room}'"),
    token("participant gone", 404, secret("moderator", joinMeeting=True), participant()),
    token("closed", 409, secret("moderator", joinMeeting=True, participantName="Ana"), prepare=closing, error="Room '{room}' is closed and cannot be joined"),
    token("wrong type", 422, {"secret": 5}, error="Expected string, received number"),
    token("wrong type before nobody", 422, {"joinMeeting": "yes"}, error="Expected boolean, received string"),
    token("impossible room", 422, {}, path=TOKEN.replace("{room}", "$"), error="roomId cannot be empty after sanitization"),
    token("media server away", 503, secret("moderator", joinMeeting=True, participantName="Ana"), prepare=media_server_away, error="LiveKit is not available"),
    token("database gone", 500, secret("moderator"), prepare=broken, error="Unexpected error while generating room member token for room '{room}'"),
    Exchange("refreshRoomMemberToken", "good", "POST", REFRESH, 200, headers=participant(), prepare=present),
    Exchange("refreshRoomMemberToken", "nobody", "POST", REFRESH, 401, error="Unauthorized"),
    Exchange("refreshRoomMemberToken", "API key", "POST", REFRESH, 401, headers=key, error="Unauthorized"),
    Exchange("refreshRoomMemberToken", "not a join token", "POST", REFRESH, 401, headers=not_joining, error="Invalid token"),
    Exchange("refreshRoomMemberToken", "another room", "POST", REFRESH, 403, headers=participant("other")),
    Exchange("refreshRoomMemberToken", "left", "POST", REFRESH, 404, headers=participant(), error="Participant 'ana-1' not found in room '{room}'"),
    Exchange("refreshRoomMemberToken", "impossible room", "POST", REFRESH.replace("{room}", "r" * 101), 422, error="roomId cannot exceed 100 characters"),
    Exchange("refreshRoomMemberToken", "media server away", "POST", REFRESH, 503, headers=participant(), prepare=media_server_away, error="LiveKit is not available"),
    Exchange("refreshRoomMemberToken", "media server fails", "POST", REFRESH, 500, headers=participant(), prepare=media_server_fails),
    Exchange("receiveWebhook", "an event", "POST", EVENTS, 200, headers=signed(EVENT), content=EVENT),
    Exchange("receiveWebhook", "a forged one", "POST", EVENTS, 200, headers=signed(b"{}"), content=EVENT),
    Exchange("receiveWebhook", "database gone", "POST", EVENTS, 200, headers=signed(EVENT), content=EVENT, prepare=broken),
    Exchange("receiveWebhook", "a huge one", "POST", EVENTS, 413, content=b"x" * 1_100_000),
]  # fmt: skip
