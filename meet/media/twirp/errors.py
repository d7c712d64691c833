"""Twirp errors: a code of the protocol's fixed list, sent as JSON with the HTTP status that belongs to it."""

from __future__ import annotations

import json
from typing import Final, Literal, TypeAlias

from aiohttp import web

Code: TypeAlias = Literal[
    "invalid_argument",
    "malformed",
    "not_found",
    "bad_route",
    "permission_denied",
    "unauthenticated",
    "resource_exhausted",
    "failed_precondition",
    "unimplemented",
    "internal",
    "unavailable",
    "deadline_exceeded",
]

HTTP_STATUS: Final[dict[Code, int]] = {
    "invalid_argument": 400,
    "malformed": 400,
    "not_found": 404,
    "bad_route": 404,
    "permission_denied": 403,
    "unauthenticated": 401,
    "resource_exhausted": 429,
    "failed_precondition": 412,
    "unimplemented": 501,
    "internal": 500,
    "unavailable": 503,
    "deadline_exceeded": 408,
}


class TwirpError(Exception):
    """A call failed; `message` is shown to the caller."""

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    def response(self) -> web.Response:
        """The answer on the wire; errors are JSON whatever the request was."""
        body = json.dumps({"code": self.code, "msg": self.message}).encode()
        return web.Response(status=HTTP_STATUS[self.code], body=body, content_type="application/json")
