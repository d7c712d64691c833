"""Answers with permissions in them: under the names that `MEET_MODE` chooses, marked when those are going away."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from meet.core.model.permissions import RETRIEVAL
from meet.http import Call, Response, json_response

from .services import services

_PART = f'"{RETRIEVAL[0]}"'.encode()
"""In a document only if rights were granted apart, before the server went back to the names of 3.8."""


def spelled(call: Call, status: int, document: Any, headers: Mapping[str, str] | None = None) -> Response:
    """`json_response`, every permission map respelled.

    Old names beside new ones come with the header `Deprecation: true`, the value OpenVidu Meet 3.9 sends; RFC 9745
    asks for a date, which nobody has set."""
    spelling = services(call).spelling
    if spelling.plain:
        plain = json_response(status, document, headers)
        if _PART not in plain.body:
            return plain
    written = spelling.document(document)
    response = json_response(status, written, headers)
    if spelling.mode == "compatibility" and written != document:
        response.headers["Deprecation"] = "true"
    return response
