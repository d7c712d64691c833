"""The Flask application: HTML shells. It can be mounted as plain WSGI too; `SCRIPT_NAME` is the base path."""

from __future__ import annotations

from functools import partial
from typing import Any

from flask import Flask, Response, render_template, request

from .assets import Assets
from .config import WebConfig
from .headers import page_headers

CONSOLE = {
    "rooms": ("rooms", "Rooms"),
    "recordings": ("library", "Recordings"),
    "users": ("users", "Users"),
    "config": ("settings", "Settings"),
    "profile": ("profile", "Your account"),
}
"""Pages for people who are signed in: path -> (template and script, title). The web app has the same paths (7.6.3)."""

FRAMED = frozenset({"room", "recordings", "recording"})
"""Endpoints that sites elsewhere embed: a room, its recordings, one recording."""


def create_app(config: WebConfig) -> Flask:
    """Build the application. Raises AssetsMissing when the static files were not built."""
    app = Flask(__name__, static_folder=None)
    app.url_map.strict_slashes = False
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    assets = Assets(config.static_dir)

    def asset(entry: str) -> str:
        return f"{request.script_root}/static/{assets.file(entry)}"

    def page(name: str, title: str, section: str = "", **data: str) -> str:
        """Render a shell. `data` reaches the scripts as JSON in the page, never as code."""
        settings: dict[str, Any] = {"basePath": f"{request.script_root}/", **data}
        return render_template(f"{name}.html", page=name, title=title, section=section, settings=settings, asset=asset)

    @app.get("/")
    def home() -> str:
        return page("home", "Meet")

    for path, (name, title) in CONSOLE.items():
        app.add_url_rule(f"/{path}", name, partial(page, name, f"{title} · Meet", path))

    @app.get("/rooms/<path:room_id>")
    def room_settings(room_id: str) -> str:
        return page("room_settings", "Room · Meet", "rooms", roomId=room_id)

    # Ids are paths: one with an encoded slash still gets its page, which then says that there is no such room.
    @app.get("/room/<path:room_id>")
    def room(room_id: str) -> str:
        return page("room", "Meeting", roomId=room_id)

    @app.get("/room/<path:room_id>/recordings")
    def recordings(room_id: str) -> str:
        return page("recordings", "Recordings", roomId=room_id)

    @app.get("/recording/<path:recording_id>")
    def recording(recording_id: str) -> str:
        return page("player", "Recording", recordingId=recording_id)

    @app.after_request
    def add_headers(response: Response) -> Response:
        media_url = config.media_url(request.url_root.rstrip("/"))
        response.headers.update(page_headers(media_url, framed=request.endpoint in FRAMED))
        return response

    return app
