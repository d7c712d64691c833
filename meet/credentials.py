"""Credentials that nobody gave: generated once, kept in `<data_dir>/secrets.json` (mode 0600), never logged."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from pathlib import Path
from typing import Final

from meet.config import Settings

_GENERATORS: Final = {
    "initial_api_key": lambda: "ovmeet-" + secrets.token_hex(16),
    "initial_admin_password": lambda: secrets.token_urlsafe(12),
    "livekit_api_key": lambda: "API" + secrets.token_hex(6),
    "livekit_api_secret": lambda: secrets.token_urlsafe(36),
}
_GUESSABLE: Final = {
    "admin",
    "password",
    "secret",
    "changeme",
    "meet",
    "devkey",
    "12345",
    "123456",
    "meet-api-key",
}
_LOOPBACK: Final = {"127.0.0.1", "::1", "localhost"}


class WeakCredentials(Exception):
    """A guessable credential was configured for an address that other machines can reach."""


def refused(settings: Settings) -> frozenset[str]:
    """What is no credential at this address, even if it was stored while only this machine could reach the server."""
    return frozenset() if settings.host in _LOOPBACK else frozenset(_GUESSABLE)


def refuse_guessable(settings: Settings) -> None:
    """Raises WeakCredentials when a configured one is guessable and `host` is not a loopback address."""
    if settings.host in _LOOPBACK:
        return
    for name in ("initial_admin_password", "initial_api_key", "livekit_api_secret"):
        if getattr(settings, name).lower() in _GUESSABLE:
            variable = Settings.model_fields[name].validation_alias
            raise WeakCredentials(
                f"{variable} is a well-known value and {settings.host} is reachable from other machines; "
                "choose another, or leave it empty to have one generated"
            )


def fill(settings: Settings) -> Settings:
    """`settings` with every missing credential read from, or generated into, the data directory.

    Raises WeakCredentials when a configured one is guessable and `host` is not a loopback address; OSError when
    the file cannot be read or written.
    """
    given = {name: getattr(settings, name) for name in _GENERATORS}
    refuse_guessable(settings)
    path = _path(settings)
    kept = _kept(settings)
    missing = [name for name, value in given.items() if not value]
    fresh = {name: _GENERATORS[name]() for name in missing if name not in kept}
    if fresh:
        kept |= fresh
        _write_private(path, json.dumps(kept, indent=2) + "\n")
    return settings.model_copy(update={name: kept[name] for name in missing})


def known(settings: Settings) -> Settings:
    """`settings` with every missing credential read from the data directory; what is not there stays empty.

    For commands that only look: nothing is generated. Raises OSError, ValueError.
    """
    kept = _kept(settings)
    return settings.model_copy(
        update={name: kept[name] for name in _GENERATORS if name in kept and not getattr(settings, name)}
    )


def _path(settings: Settings) -> Path:
    return settings.data_dir / "secrets.json"


def _kept(settings: Settings) -> dict[str, str]:
    path = _path(settings)
    kept: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    return kept


def _write_private(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    with contextlib.suppress(FileNotFoundError):
        temporary.unlink()
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
