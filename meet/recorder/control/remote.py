"""The egress control seen from another process: one POST per call on the front's Unix socket.

Every worker has the Egress API, because starting a recording looks at the room; the recordings have one owner, in the
front. `POST /egress/<call>` with the arguments as a JSON object; 200 with the result, or 409 with the error's name
and text.
"""

from __future__ import annotations

import base64
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import aiohttp
from aiohttp import web
from pydantic import TypeAdapter

from meet.media.twirp.egress_model import (
    EgressControl,
    EgressError,
    EgressNotRunning,
    EgressRefused,
    EgressRequest,
    EgressSilent,
    EgressState,
    EgressUnavailable,
    EgressUnknown,
    EgressUnsupported,
)

_REQUEST: Final = TypeAdapter(EgressRequest)
_STATE: Final = TypeAdapter(EgressState)
_STATES: Final = TypeAdapter(list[EgressState])
_ERRORS: Final[dict[str, type[EgressError]]] = {
    error.__name__: error
    for error in (EgressUnknown, EgressNotRunning, EgressSilent, EgressUnavailable, EgressRefused, EgressUnsupported)
}
_TIMEOUT_S: Final = 25.0
_BYTES: Final = "base64"


def _dumped(value: EgressRequest | EgressState | list[EgressState]) -> str:
    return json.dumps([asdict(v) for v in value] if isinstance(value, list) else asdict(value), default=_encode)


def _encode(value: bytes) -> dict[str, str]:
    return {_BYTES: base64.b64encode(value).decode()}


def _parsed(text: bytes | str) -> Any:
    return json.loads(text, object_hook=lambda found: base64.b64decode(found[_BYTES]) if _BYTES in found else found)


def control_routes(control: EgressControl) -> list[web.RouteDef]:
    """What the owner serves to the others."""

    async def call(request: web.Request) -> web.Response:
        arguments = _parsed(await request.read())
        try:
            match request.match_info["call"]:
                case "start":
                    body = _dumped(await control.start(_REQUEST.validate_python(arguments["request"])))
                case "stop":
                    body = _dumped(await control.stop(**arguments))
                case "update_layout":
                    body = _dumped(await control.update_layout(**arguments))
                case "set_paused":
                    body = _dumped(await control.set_paused(**arguments))
                case "find":
                    body = _dumped(await control.find(**arguments))
                case _:
                    raise web.HTTPNotFound
        except EgressError as error:
            return web.json_response({"error": type(error).__name__, "text": str(error)}, status=409)
        return web.Response(text=body, content_type="application/json")

    return [web.post("/egress/{call}", call)]


class RemoteControl:
    """Implements `EgressControl`; `close` at the end. path: the owner's Unix socket.

    Every call raises EgressUnavailable, too, when the owner does not answer: whether it heard is not known."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._session: aiohttp.ClientSession | None = None

    async def start(self, request: EgressRequest) -> EgressState:
        return _STATE.validate_python(_parsed(await self._call("start", request=asdict(request))))

    async def stop(self, egress_id: str) -> EgressState:
        return _STATE.validate_python(_parsed(await self._call("stop", egress_id=egress_id)))

    async def update_layout(self, egress_id: str, layout: str) -> EgressState:
        return _STATE.validate_python(_parsed(await self._call("update_layout", egress_id=egress_id, layout=layout)))

    async def set_paused(self, egress_id: str, paused: bool) -> EgressState:
        return _STATE.validate_python(_parsed(await self._call("set_paused", egress_id=egress_id, paused=paused)))

    async def find(
        self, *, egress_id: str | None = None, room: str | None = None, active: bool = False
    ) -> list[EgressState]:
        return _STATES.validate_python(_parsed(await self._call("find", egress_id=egress_id, room=room, active=active)))

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def _call(self, name: str, **arguments: Any) -> bytes:
        if self._session is None:
            connector = aiohttp.UnixConnector(str(self._path), force_close=True)
            self._session = aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=_TIMEOUT_S))
        body = json.dumps(arguments, default=_encode)
        try:
            async with self._session.post(f"http://front/egress/{name}", data=body) as response:
                answer = await response.read()
        except (aiohttp.ClientError, OSError, TimeoutError):
            raise EgressUnavailable("the control of the recordings does not answer; try again") from None
        if response.status == 409:
            told = json.loads(answer)
            raise _ERRORS.get(told["error"], EgressUnavailable)(told["text"])
        if response.status != 200:
            raise EgressUnavailable("the control of the recordings failed")
        return answer
