"""The web app's page, with the base path put in (contract 1.9)."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path

from flask import Flask, Response, request

from .folder import FrontendMissing

_BASE = re.compile(r"<base\b[^>]*>", re.IGNORECASE)
_HEAD = re.compile(r"<head\b[^>]*>", re.IGNORECASE)
_HEAD_END = re.compile(r"</head\s*>", re.IGNORECASE)


class IndexPage:
    """Reads index.html when it has changed, renders it once per base path.

    Raises FrontendMissing when it cannot be read or has no head. Later on, while a build is being replaced by the
    next one, the page that was good stays.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._version = -1
        self._source = ""
        self._rendered: dict[str, str] = {}
        self.render("/")

    def render(self, base_path: str) -> str:
        """The page for the app below `base_path` (begins and ends with a slash)."""
        try:
            self._read()
        except FrontendMissing:
            if not self._source:
                raise
        if base_path not in self._rendered:
            self._rendered[base_path] = inject(self._source, base_path)
        return self._rendered[base_path]

    def _read(self) -> None:
        try:
            version = self._path.stat().st_mtime_ns
            if version == self._version:
                return
            source = self._path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise FrontendMissing(f"{self._path} cannot be read: {error}") from error
        if not _HEAD_END.search(source):
            raise FrontendMissing(f"{self._path} is not the page of a built web app: it has no </head>")
        self._version, self._source, self._rendered = version, source, {}


def inject(source: str, base_path: str) -> str:
    """`source` with `<base href>` replaced, and the base path as a script just before `</head>`."""
    base = f'<base href="{html.escape(base_path)}">'
    value = json.dumps(base_path).replace("<", "\\u003c")
    script = f"<script>window.__OPENVIDU_MEET_CONFIG__={{basePath:{value}}};</script>\n"
    page, replaced = _BASE.subn(lambda _: base, source, count=1)
    if not replaced:
        page = _HEAD.sub(lambda found: f"{found[0]}{base}", page, count=1)
    return _HEAD_END.sub(lambda found: f"{script}{found[0]}", page, count=1)


def create_app(index: IndexPage) -> Flask:
    """One page for every path: the app routes in the browser. `SCRIPT_NAME` is the base path."""
    app = Flask(__name__, static_folder=None)

    @app.get("/", defaults={"path": ""})
    @app.get("/<path:path>")
    def page(path: str) -> Response:
        answer = Response(index.render(f"{request.script_root}/"), mimetype="text/html")
        # The file names in it change with every build; its ETag keeps asking cheap. Nothing forbids embedding (7.6.4).
        answer.headers["Cache-Control"] = "no-cache"
        answer.headers["X-Content-Type-Options"] = "nosniff"
        return answer

    return app
