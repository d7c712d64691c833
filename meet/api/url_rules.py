"""Rules about webhook URLs in the contract's words (2.5.4): `x-validator` functions of `meet.http.schema`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from meet.http import Issue

_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
# Scheme, any slashes, credentials, host (or bracketed address), port; the rest does not matter.
_WEB = re.compile(
    r"https?:[/\\]*(?:[^/\\?#]*@)?(?:\[[0-9a-f:.]+\]|[^\s/\\?#@:<>\[\]^|%\x00-\x20\x7f]+)(?::(?P<port>\d*))?(?:[/\\?#].*)?",
    re.IGNORECASE | re.DOTALL,
)
_LARGEST_PORT = 65535


def webhook_url(value: Any, issues: list[Issue]) -> Iterable[Issue]:
    """Both complaints when both apply, as the original's checks run on."""
    yield from issues
    if not isinstance(value, str):
        return
    if not is_url(value):
        yield Issue((), "Must be a valid URL")
    if not value.startswith(("http://", "https://")):
        yield Issue((), "URL must start with http:// or https://")


def webhook_config(value: Any, issues: list[Issue]) -> Iterable[Issue]:
    """Switching webhooks on needs a URL in the same request."""
    yield from issues
    if any(issue.fatal for issue in issues):
        return
    if value["enabled"] and not value.get("url"):
        yield Issue(("url",), "URL is required when webhooks are enabled")


def is_url(text: str) -> bool:
    """What the WHATWG parser accepts without a base, as far as it matters here."""
    trimmed = text.strip("\x00\x20\t\n\r")
    if not _SCHEME.match(trimmed):
        return False
    if not trimmed.lower().startswith(("http:", "https:")):
        return True
    match = _WEB.fullmatch(trimmed)
    return match is not None and int(match["port"] or 0) <= _LARGEST_PORT
