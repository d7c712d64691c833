"""The credentials that a server on this machine accepts, from its environment, data directory and database."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from functools import cached_property

from meet import credentials as files
from meet.config import Settings
from meet.core.passwords import verify_password


class NotReadable(Exception):
    """Secrets or database cannot be read."""


class Stored:
    """What works. An empty text stands for what is not known here, or does not exist.

    The database is read with the standard library: importing `meet.db` takes longer than most commands.
    Making one raises NotReadable; so does reading `api_key` and `admin_password`.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._database = settings.data_dir / "meet.db"
        self._refused = files.refused(settings)
        try:
            self._known = files.known(settings)
        except (OSError, ValueError) as error:
            raise NotReadable(f"{settings.data_dir}/secrets.json cannot be read: {error}") from error
        self.admin_user = settings.initial_admin_user
        self.livekit_api_key = self._known.livekit_api_key
        self.livekit_api_secret = self._known.livekit_api_secret

    @property
    def exists(self) -> bool:
        """Whether a server was ever started there."""
        return self._database.exists() or (self._settings.data_dir / "secrets.json").exists()

    @cached_property
    def api_key(self) -> str:
        """The API key in force; before the first start the one that will be."""
        key = self._known.initial_api_key
        if self._database.exists():
            key = self._read("SELECT key FROM api_keys")
        return "" if key.lower() in self._refused else key

    @cached_property
    def admin_password(self) -> str:
        """The administrator's first password, if it has not been changed."""
        # The environment may have named it at the first start and name it no longer, or the other way round.
        generated = files.known(self._settings.model_copy(update={"initial_admin_password": ""}))
        candidates = {self._known.initial_admin_password, generated.initial_admin_password} - {"", *self._refused}
        if not self._database.exists():
            return self._known.initial_admin_password
        stored = self._read("SELECT password_hash FROM users WHERE user_id = ?", self.admin_user)
        for password in candidates:
            if stored and asyncio.run(verify_password(password, stored)):
                return password
        return ""

    def _read(self, query: str, *values: str) -> str:
        try:
            with closing(sqlite3.connect(f"{self._database.as_uri()}?mode=ro", uri=True)) as connection:
                row = connection.execute(query, values).fetchone()
        except sqlite3.Error as error:
            raise NotReadable(f"{self._database} cannot be read: {error}") from error
        return str(row[0]) if row else ""
