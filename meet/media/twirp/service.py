"""A Twirp service as aiohttp routes: one POST per method, everything else a Twirp error."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import structlog
from aiohttp import web
from google.protobuf.message import Message

from meet.media.room import NotAllowed, ParticipantNotFound, RoomError, RoomNotFound, TrackNotFound
from meet.media.twirp import codec
from meet.media.twirp.auth import Authenticator, Grants
from meet.media.twirp.errors import TwirpError

log = structlog.get_logger(__name__)

Handler = Callable[[Grants, Any], Awaitable[Message]]


async def no_such_service(request: web.Request) -> web.Response:
    """For every other path below /twirp/: ingress, SIP, agents and what else LiveKit has."""
    service = request.match_info["service"]
    if service.startswith("livekit."):
        return TwirpError("unimplemented", f"{service} is not available on this server").response()
    return TwirpError("bad_route", f"no handler for path {request.path!r}").response()


@dataclass(frozen=True)
class Method:
    """request: class of the body. handle: checks the grants and does the work."""

    request: type[Message]
    handle: Handler


class Service:
    """`full_name` such as `livekit.RoomService`; `known` lists the protocol's methods that are not built here."""

    def __init__(
        self, full_name: str, auth: Authenticator, methods: dict[str, Method], *, known: frozenset[str]
    ) -> None:
        self._full_name = full_name
        self._auth = auth
        self._methods = methods
        self._known = known

    def route(self) -> web.RouteDef:
        """The service's one route; the method is the last path segment."""
        return web.route("*", f"/twirp/{self._full_name}/{{method}}", self._call)

    async def _call(self, request: web.Request) -> web.Response:
        name = request.match_info["method"]
        try:
            return codec.answer(request, await self._run(request, name))
        except TwirpError as error:
            failed = error
        except (RoomNotFound, ParticipantNotFound, TrackNotFound) as error:
            failed = TwirpError("not_found", str(error))
        except NotAllowed as error:
            failed = TwirpError("permission_denied", str(error))
        except RoomError as error:
            failed = TwirpError("failed_precondition", str(error))
        except Exception:
            log.exception("twirp_call_failed", service=self._full_name, method=name)
            failed = TwirpError("internal", "internal error")
        log.info("twirp_call_refused", service=self._full_name, method=name, code=failed.code)
        return failed.response()

    async def _run(self, request: web.Request, name: str) -> Message:
        if request.method != "POST":
            raise TwirpError("bad_route", f"unsupported method {request.method!r} (only POST is allowed)")
        grants = self._auth.grants(request)
        method = self._methods.get(name)
        if method is None:
            if name in self._known:
                raise TwirpError("unimplemented", f"{self._full_name}/{name} is not available on this server")
            raise TwirpError("bad_route", f"no handler for path {request.path!r}")
        return await method.handle(grants, await codec.read(request, method.request))
