"""Users, API keys and the global configuration in SQL."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import orjson
from sqlalchemy import Connection, delete, insert, select, update

from meet.core.model.user import ApiKey, GlobalConfig, User

from .tables import api_keys, global_config, users
from .user_rows import store_password, stored_user, user_values

if TYPE_CHECKING:
    from .engine import Database

_KEYS = select(api_keys.c.key, api_keys.c.creation_date)


class SqlAccounts:
    """Implements `meet.core.ports.AccountRepository`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def initialise(self, config: GlobalConfig, admin: User, key: ApiKey | None) -> bool:
        def work(connection: Connection) -> bool:
            row = {"project_id": config.project_id, "document": _document(config)}
            first = insert(global_config).prefix_with("OR IGNORE", dialect="sqlite")
            if connection.execute(first, row).rowcount == 0:
                return False
            connection.execute(insert(users).prefix_with("OR IGNORE", dialect="sqlite"), user_values(admin))
            if key is not None:
                keep = insert(api_keys).prefix_with("OR IGNORE", dialect="sqlite")
                connection.execute(keep, {"key": key.key, "creation_date": key.creation_date})
            return True

        return await self._database.write(work)

    async def get_user(self, user_id: str) -> User | None:
        database = self._database
        return database.cached(("user", user_id), lambda: stored_user(database.reader, user_id))

    async def set_password(
        self, user_id: str, password_hash: str, must_change: bool, *, sessions_since: int | None = None
    ) -> bool:
        return await self._database.write(
            lambda connection: store_password(connection, user_id, password_hash, must_change, sessions_since)
        )

    async def api_keys(self) -> list[ApiKey]:
        def load() -> tuple[ApiKey, ...]:
            return tuple(ApiKey(row.key, row.creation_date) for row in self._database.reader.execute(_KEYS))

        return list(self._database.cached("api_keys", load))

    async def replace_api_key(self, key: ApiKey | None) -> None:
        def work(connection: Connection) -> None:
            connection.execute(delete(api_keys))
            if key is not None:
                connection.execute(insert(api_keys), {"key": key.key, "creation_date": key.creation_date})

        await self._database.write(work)

    async def get_config(self, project_id: str) -> GlobalConfig | None:
        return _stored_config(self._database.reader, project_id)

    async def modify_config(
        self, project_id: str, change: Callable[[GlobalConfig], GlobalConfig]
    ) -> GlobalConfig | None:
        def work(connection: Connection) -> GlobalConfig | None:
            before = _stored_config(connection, project_id)
            if before is None:
                return None
            after = change(before)
            row = update(global_config).where(global_config.c.project_id == project_id)
            connection.execute(row.values(document=_document(after)))
            return after

        return await self._database.write(work)


def _stored_config(connection: Connection, project_id: str) -> GlobalConfig | None:
    statement = select(global_config.c.document).where(global_config.c.project_id == project_id)
    text = connection.execute(statement).scalar_one_or_none()
    if text is None:
        return None
    document = orjson.loads(text)
    return GlobalConfig(project_id, document["webhooksConfig"], document["securityConfig"], document["roomsConfig"])


def _document(config: GlobalConfig) -> str:
    document = {
        "webhooksConfig": config.webhooks,
        "securityConfig": config.security,
        "roomsConfig": config.rooms,
    }
    return orjson.dumps(document).decode()
