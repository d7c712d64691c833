"""From a request of the HTTP runtime to a Flask application and back."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

from flask import Flask
from werkzeug.test import EnvironBuilder

from meet.http.call import Call
from meet.http.response import Response


def dispatch(app: Flask, call: Call, mount: str, path: str) -> Response:
    """Let `app` answer GET `path` as if it were mounted at `mount`. Query and request headers stay behind."""
    origin = urlsplit(call.base_url)
    environ = EnvironBuilder(
        path=quote(path), base_url=f"{origin.scheme}://{origin.netloc}{quote(mount)}/"
    ).get_environ()
    with app.request_context(environ):
        answer = app.full_dispatch_request()
        return Response(answer.status_code, answer.get_data(), dict(answer.headers.items()))
