"""Structured logs: one line per event on stderr, text for people or JSON for machines, secrets masked."""

from __future__ import annotations

import contextlib
import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, cast

import orjson
import structlog

_SECRET_KEYS = re.compile(r"(token|secret|password|api_?key|authorization)", re.IGNORECASE)
_SECRET_VALUES = re.compile(
    r"(eyJ[\w-]{8,}(?:\.[\w-]*){0,2})"  # a JWT, or the beginning of one
    r"|((?:access_token|accessToken|roomMemberToken|recordingSecret|secret|join_request)=[^&\s\"']+)"
)


def _readable(record: logging.LogRecord) -> bool:
    """Not of requests that are no HTTP: aiohttp quotes the header that it stumbled over, and that may hold a key."""
    error = record.exc_info[1] if record.exc_info else None
    return type(error).__module__ != "aiohttp.http_exceptions"


class _Patient:
    """stderr that may be a file on a full disk: a line that cannot be written is no reason to stop working."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def write(self, data: Any) -> None:
        with contextlib.suppress(OSError):
            self._file.write(data)

    def flush(self) -> None:
        with contextlib.suppress(OSError):
            self._file.flush()


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
    """One format on stderr for our events and the standard library's loggers. `process` names the writer.

    Our own events do not go through `logging`: that costs more than the request they tell of.
    """
    threshold = getattr(logging, level.upper(), logging.INFO)
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    foreign: list[Any] = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.format_exc_info,
    ]
    own: list[Any] = [*shared, structlog.processors.format_exc_info, _mask]
    factory: Any
    renderer: Any
    if fmt == "json":
        renderer = structlog.processors.JSONRenderer()
        own.append(structlog.processors.JSONRenderer(serializer=orjson.dumps, default=repr))
        factory = structlog.BytesLoggerFactory(cast(Any, _Patient(sys.stderr.buffer)))
    else:
        # Plain, whatever is installed: the pretty formatter shows local variables, and those hold secrets.
        plain = structlog.dev.plain_traceback
        console = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain)
        renderer = console
        own.append(console)
        factory = structlog.WriteLoggerFactory(cast(Any, _Patient(sys.stderr)))
    structlog.configure(
        processors=own,
        logger_factory=factory,
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name], processors=[*foreign, _mask, renderer]
        )
    )
    parser = logging.getLogger("aiohttp.server")
    parser.filters[:] = [_readable]
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(threshold)
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
