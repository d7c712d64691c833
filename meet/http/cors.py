"""Cross-origin headers and preflight answers (contract 1.3)."""

from __future__ import annotations

from .call import Headers
from .response import Response

METHODS = "GET,HEAD,PUT,PATCH,POST,DELETE"


class Cors:
    """`origin` is `*` or one origin. Credentials are always allowed; with `*` browsers ignore that."""

    def __init__(self, origin: str = "*") -> None:
        self.headers: dict[str, str] = {
            "access-control-allow-origin": origin,
            "access-control-allow-credentials": "true",
        }
        if origin != "*":
            self.headers["vary"] = "Origin"
        self.raw = tuple((name.encode(), value.encode("latin-1")) for name, value in self.headers.items())

    def preflight(self, headers: Headers) -> Response:
        """204 for any path: the requested headers are reflected."""
        answer = {"access-control-allow-methods": METHODS, "content-length": "0"}
        requested = headers.get("access-control-request-headers")
        if requested:
            answer["access-control-allow-headers"] = requested
            answer["vary"] = "Access-Control-Request-Headers"
        return Response(204, headers=answer)
