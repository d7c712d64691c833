"""The head of an HTTP/1.1 request, as far as the front needs it: is it signalling, and for which room?"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from meet.media.gateway.auth import TokenError, join_grant, verify

END: Final = b"\r\n\r\n"
MAX_HEAD: Final = 96 * 1024
"""Bytes; join URLs carry an SDP offer, and more than a worker takes (64 KiB a line) it shall refuse itself."""

SIGNALLING: Final = frozenset({"/rtc", "/rtc/v1", "/rtc/validate", "/rtc/v1/validate"})

_FOLD: Final = re.compile(r"\r\n[ \t]+")
"""A header that goes on in the next line (RFC 9112, 5.2)."""


@dataclass(frozen=True)
class Head:
    """A request line and the one header that counts."""

    path: str
    query: str = ""
    authorization: str = ""

    @property
    def signalling(self) -> bool:
        """A client that wants into a room, or asks why it could not."""
        return self.path in SIGNALLING

    @property
    def token(self) -> str:
        """The access token: a parameter, or else a bearer token.

        Of several the one that a worker takes (gateway.handshake): otherwise who has tokens for two rooms could make
        one of them a second time, where nobody else is sent."""
        named = (value for name, value in parse_qsl(self.query, keep_blank_values=True) if name == "access_token")
        first = next(named, "")
        if first:
            return first
        scheme, _, value = self.authorization.partition(" ")
        return value.strip() if scheme.lower() == "bearer" else ""


def parse(data: bytes) -> Head:
    """What can be made of it; junk has the path "" and goes where HTTP errors are made."""
    lines = _FOLD.sub(" ", data.partition(END)[0].decode("latin-1")).split("\r\n")
    words = lines[0].split(" ")
    if len(words) != 3:
        return Head("")
    try:
        target = urlsplit(words[1])
    except ValueError:
        return Head("")
    authorization = ""
    for line in lines[1:]:
        name, _, value = line.partition(":")
        if name.strip().lower() == "authorization":
            authorization = value.strip()
            break
    return Head(target.path, target.query, authorization)


def room_of(head: Head, keys: Mapping[str, str]) -> tuple[str | None, bool]:
    """The room of a valid token, and whether joining may create it; (None, False) without one."""
    try:
        grant = join_grant(verify(head.token, keys))
    except TokenError:
        return None, False
    return grant.room, grant.may_create_room
