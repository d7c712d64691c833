"""Who calls: the bearer token's video grants, checked before anything of the body is believed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import web

from meet.media.gateway.auth import TokenError, verify
from meet.media.twirp.errors import TwirpError


@dataclass(frozen=True)
class Grants:
    """The administrative part of a token's `video` claim. `room` is the one room `room_admin` holds for."""

    room_create: bool = False
    room_list: bool = False
    room_record: bool = False
    room_admin: bool = False
    room: str = ""

    def need_create(self) -> None:
        """Raise permission_denied without roomCreate."""
        _require(self.room_create, "roomCreate")

    def need_list(self) -> None:
        """Raise permission_denied without roomList."""
        _require(self.room_list, "roomList")

    def need_record(self) -> None:
        """Raise permission_denied without roomRecord."""
        _require(self.room_record, "roomRecord")

    def need_admin(self, room: str) -> None:
        """Raise permission_denied without roomAdmin for exactly this room."""
        _require(self.room_admin and bool(room) and self.room == room, "roomAdmin for this room")


def _require(held: bool, what: str) -> None:
    if not held:
        raise TwirpError("permission_denied", f"permissions denied: the token lacks {what}")


class Authenticator:
    """Verifies tokens signed with one of `keys` (API key to secret)."""

    def __init__(self, keys: Mapping[str, str]) -> None:
        self._keys = keys

    def grants(self, request: web.Request) -> Grants:
        """The caller's grants. Raises unauthenticated without a token that holds now."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise TwirpError("unauthenticated", "authorization header must hold a bearer token")
        try:
            video = verify(token.strip(), self._keys).get("video")
        except TokenError as error:
            raise TwirpError("unauthenticated", str(error)) from None
        if not isinstance(video, dict):
            return Grants()
        room = video.get("room")
        return Grants(
            room_create=video.get("roomCreate") is True,
            room_list=video.get("roomList") is True,
            room_record=video.get("roomRecord") is True,
            room_admin=video.get("roomAdmin") is True,
            room=room if isinstance(room, str) else "",
        )
