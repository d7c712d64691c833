"""Environment variables: values that are refused, names that nobody reads."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Final

from meet import config, credentials
from meet.config import Settings
from meet.doctor.report import Finding, fail, ok, warn

_CLIENT: Final = frozenset({"MEET_URL", "MEET_API_KEY", "MEET_API_KEY_FILE", "MEET_ADMIN_USER", "MEET_ADMIN_PASSWORD"})
_OURS: Final = ("MEET_", "MEETING_", "LIVEKIT_", "SERVER_")


def check(settings: Settings) -> Iterator[Finding]:
    """The settings and the environment they come from."""
    try:
        credentials.refuse_guessable(settings)
    except credentials.WeakCredentials as error:
        yield fail("settings", str(error), "the server does not start like this")
    else:
        yield ok("settings", "valid")
    known = {name for name, _, _ in config.describe()} | _CLIENT
    unread = sorted(name for name in os.environ if name.startswith(_OURS) and name not in known)
    if unread:
        yield warn(
            "settings",
            f"this server does not know {', '.join(unread)}",
            "check the spelling against `meet serve --help`; variables of other servers can be removed",
        )
