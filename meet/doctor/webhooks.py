"""Where webhooks go: whether the server would send anything there."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from sqlalchemy.exc import SQLAlchemyError

from meet.config import Settings
from meet.db import lookup
from meet.doctor.report import Finding, fail, ok, warn
from meet.outbound.addresses import is_public

_ADVICE: Final = (
    "if that is the receiver you want, set MEET_WEBHOOK_ALLOW_PRIVATE=true and restart; "
    "what was refused is sent then, for 24 hours"
)


def check(settings: Settings) -> Iterator[Finding]:
    """The stored address, or before the first start MEET_INITIAL_WEBHOOK_URL. Nothing is sent; nothing is said when
    webhooks are off."""
    url = _url(settings)
    if not url:
        return
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port = "", None
    shown = f"{host}:{port}" if port else host  # not the URL: it may carry a password or a token
    try:
        private = not any(
            is_public(str(where[0])) for *_, where in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        )
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "no usable name"
        yield warn(
            "webhooks", f"{shown or 'the URL'} cannot be found: {reason}", "correct the URL, or mend name lookups"
        )
        return
    if private and not settings.webhook_allow_private:
        yield fail("webhooks", f"{shown} is a private or loopback address, to which none is sent", _ADVICE)
    else:
        yield ok("webhooks", f"go to {shown}")


def _url(settings: Settings) -> str:
    initial = settings.initial_webhook_url if settings.initial_webhook_enabled else ""
    path = settings.data_dir / "meet.db"
    if not path.exists():
        return initial
    try:
        with lookup.read_only(path) as connection:
            stored = lookup.webhooks(connection, settings.name_id)
    except (SQLAlchemyError, ValueError):  # told by the check of the database
        return ""
    if stored is None:
        return initial
    return str(stored.get("url") or "") if stored.get("enabled") else ""
