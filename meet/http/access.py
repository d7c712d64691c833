"""The access log: one event per request, without the query (it may carry secrets)."""

from __future__ import annotations

import re
import time
import traceback

import structlog

from .call import Call

_log = structlog.get_logger(__name__)

_PARTS = "/static/{file}"
_SECRETS = (
    (re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]*"), "***"),
    (re.compile(r"(Bearer\s+)\S+", re.IGNORECASE), r"\1***"),
    (re.compile(r"([?&][\w.-]+=)[^\s&'\"]+"), r"\1***"),
    (re.compile(r"((?:secret|password|token|api[_-]?key)['\"]?\s*[:=]\s*['\"]?)[^\s'\",&}]+", re.IGNORECASE), r"\1***"),
)


def log_request(method: str, route: str, status: int, started: float) -> None:
    """`started` is a `time.perf_counter()` reading; `route` the path template, never the path itself.

    Parts of a page are told for debugging only: a page asks for ten of them."""
    elapsed = round((time.perf_counter() - started) * 1000, 1)
    tell = _log.debug if route.endswith(_PARTS) and status < 400 else _log.info
    tell("http_request", method=method, route=route, status=status, ms=elapsed)


def log_failure(call: Call, error: BaseException) -> None:
    """An unexpected exception with its traceback, credentials blacked out."""
    _log.error(
        "http_handler_failed",
        operation=call.operation_id,
        error=type(error).__name__,
        traceback=redact("".join(traceback.format_exception(error))),
    )


def log_broken(call: Call, error: BaseException) -> None:
    """A known kind of error that came after the status was sent."""
    _log.warning("http_answer_broken", operation=call.operation_id, error=type(error).__name__)


def redact(text: str) -> str:
    """Tokens, keys, secrets and query values replaced by `***`."""
    for pattern, replacement in _SECRETS:
        text = pattern.sub(replacement, text)
    return text
