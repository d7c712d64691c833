"""Structured logs: one line per event on stderr, text for people or JSON for machines, secrets masked."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

_SECRET_KEYS = re.compile(r"(token|secret|password|api_?key|authorization)", re.IGNORECASE)
_SECRET_VALUES = re.compile(
    r"(eyJ[\w-]{8,}\.[\w-]+\.[\w-]+)"  # a JWT
    r"|((?:access_token|accessToken|roomMemberToken|recordingSecret|secret|join_request)=[^&\s\"']+)"
)


def _mask(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Last line of defence: what looks like a credential never leaves the process in a log line."""
    for key, value in event.items():
        if isinstance(value, str):
            if _SECRET_KEYS.search(key):
                event[key] = "***"
            elif "eyJ" in value or "=" in value:
                event[key] = _SECRET_VALUES.sub("***", value)
    return event


def configure(level: str = "info", fmt: str = "text", *, process: str = "meet") -> None:
    """Route structlog and the standard library's loggers to stderr in one format. `process` names the writer."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    renderer: list[Any]
    if fmt == "json":
        renderer = [structlog.processors.format_exc_info, _mask, structlog.processors.JSONRenderer()]
    else:
        renderer = [
            structlog.processors.format_exc_info,
            _mask,
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()),
        ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(getattr(logging, level.upper(), logging.INFO))
    for chatty in (
        "uvicorn",
        "aiohttp.access",
        "botocore",
        "aiobotocore",
        "aioice",
        "aiortc",
        "alembic",
        "asyncio",
        "connexion",
    ):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    structlog.contextvars.bind_contextvars(process=process)
