"""The web app as one service for the handlers."""

from __future__ import annotations

from pathlib import Path

from meet.http.call import Call
from meet.http.response import Response
from meet.web.dispatch import dispatch

from .files import BuiltFiles
from .folder import FrontendFolder
from .index import IndexPage, create_app


class Frontend:
    """`directory` is MEET_FRONTEND_DIR; `base_path` has no trailing slash, "" is the root.

    Raises FrontendMissing when `directory` holds no built web app.
    """

    def __init__(self, directory: Path, base_path: str) -> None:
        folder = FrontendFolder.find(directory)
        self.components = folder.components
        self.files = BuiltFiles(folder.app)
        self._base_path = base_path
        self._flask = create_app(IndexPage(folder.app / "index.html"))

    def mount(self, call: Call) -> str:
        """The base path under which `call` came in: the configured one, or "" at the root."""
        base, path = self._base_path, call.path.lower()
        return base if path == base.lower() or path.startswith(base.lower() + "/") else ""

    def index(self, call: Call) -> Response:
        """The app's page; which of its routes was asked for makes no difference."""
        return dispatch(self._flask, call, self.mount(call), "/")
