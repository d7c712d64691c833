"""From a request of the HTTP runtime to Flask and back."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

from werkzeug.test import EnvironBuilder

from meet.http.call import Call
from meet.http.response import Response

from .app import create_app
from .assets import AssetsMissing
from .config import WebConfig
from .static_files import StaticFiles

__all__ = ["AssetsMissing", "Pages"]


class Pages:
    """The pages and their static files, as one service for the handlers in `pages`.

    Raises AssetsMissing when `web/build.py` has not been run.
    """

    def __init__(self, config: WebConfig) -> None:
        self.static = StaticFiles(config.static_dir)
        self.flask = create_app(config)

    def render(self, call: Call, *segments: str) -> Response:
        """Let Flask answer `/seg/ments` below the base path under which `call` came in.

        The path is rebuilt from its parts instead of being taken from the request: the runtime's router ignores
        case and a trailing slash, Flask's does not. Query and request headers stay behind; no shell depends on them.
        """
        tail = "/".join(("", *segments)) if segments else "/"
        mount = call.path.rstrip("/")[: len(call.path.rstrip("/")) - len(tail.rstrip("/"))]
        origin = urlsplit(call.base_url)
        environ = EnvironBuilder(
            path=quote(tail), base_url=f"{origin.scheme}://{origin.netloc}{quote(mount)}/"
        ).get_environ()
        with self.flask.request_context(environ):
            answer = self.flask.full_dispatch_request()
            return Response(answer.status_code, answer.get_data(), dict(answer.headers.items()))
