"""Our own pages as one service for the handlers in `pages`."""

from __future__ import annotations

from meet.http.call import Call
from meet.http.response import Response

from .app import create_app
from .assets import Assets, AssetsMissing
from .config import WebConfig
from .dispatch import dispatch
from .static_files import StaticFiles

__all__ = ["AssetsMissing", "Pages"]


class Pages:
    """The pages and their static files.

    Raises AssetsMissing when `web/build.py` has not been run.
    """

    def __init__(self, config: WebConfig) -> None:
        self.static = StaticFiles(config.static_dir)
        self.component = config.static_dir / Assets(config.static_dir).file("v1/openvidu-meet.js")
        self.flask = create_app(config)

    def render(self, call: Call, *segments: str) -> Response:
        """Let Flask answer `/seg/ments` below the base path under which `call` came in.

        The path is rebuilt from its parts instead of being taken from the request: the runtime's router ignores
        case and a trailing slash, Flask's does not. No shell depends on query or request headers.
        """
        tail = "/".join(("", *segments)) if segments else "/"
        mount = call.path.rstrip("/")[: len(call.path.rstrip("/")) - len(tail.rstrip("/"))]
        return dispatch(self.flask, call, mount, tail)
