"""Events of the media server (contract 5.6)."""

from __future__ import annotations

import traceback

import structlog

from meet.api.services import services
from meet.http import Call, Response

_log = structlog.get_logger(__name__)


async def receive_webhook(call: Call) -> Response:
    """200 whatever happens: the sender would only repeat an event that was forged or cannot be handled."""
    try:
        await services(call).inbox.deliver(call.raw_body, call.headers.get("authorization"))
    except Exception as error:
        # Our own jobs reconcile rooms and recordings with the media server, so a lost event is repaired later.
        # One line: anybody can post here, and a traceback per forged event would drown the log.
        frame = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{frame.filename}:{frame.lineno}"
        _log.warning("media_server_event_dropped", error=type(error).__name__, detail=str(error), where=where)
    return Response(200)
