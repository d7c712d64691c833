"""The runtime alone: the compiled GET room without a database, for seeing what meet/http itself costs."""

from __future__ import annotations

import hmac
import json
import logging
import os
from pathlib import Path
from typing import Any

import structlog

from meet.http import Call, FirstCredential, HttpApp, HttpError, Response, json_response

structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))

_ROOM: dict[str, Any] = json.loads(os.environ.get("BENCH_ROOM", "{}"))


async def get_room(call: Call) -> Response:
    fields = call.params.get("fields")
    wanted = set(fields.split(",")) if fields else _ROOM.keys()
    return json_response(200, {name: value for name, value in _ROOM.items() if name in wanted})


async def _check(_call: Call, key: str) -> str:
    if not hmac.compare_digest(key.encode(), os.environ.get("BENCH_KEY", "bench-key").encode()):
        raise HttpError(401, "Authentication Error", "Invalid API key")
    return "admin"


app = HttpApp([(Path(__file__).with_name("toy.yaml"), ["/api/v1"])], FirstCredential({"apiKeyHeader": _check}))
