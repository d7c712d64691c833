"""Users, API keys and the global configuration in SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import Connection, bindparam, insert, select, update

from meet.core.model.user import ApiKey, GlobalConfig, User

from .tables import api_keys, global_config, users

if TYPE_CHECKING:
    from .engine import Database

_USER_BY_ID = select(users).where(users.c.user_id == bindparam("user_id"))
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
            connection.execute(insert(users).prefix_with("OR IGNORE", dialect="sqlite"), _user_values(admin))
            if key is not None:
                keep = insert(api_keys).prefix_with("OR IGNORE", dialect="sqlite")
                connection.execute(keep, {"key": key.key, "creation_date": key.creation_date})
            return True

        return await self._database.write(work)

    async def get_user(self, user_id: str) -> User | None:
        row = self._database.reader.execute(_USER_BY_ID, {"user_id": user_id}).one_or_none()
        if row is None:
            return None
        return User(
            user_id=row.user_id,
            name=row.name,
            role=row.role,
            registration_date=row.registration_date,
            role_updated_at=row.role_updated_at,
            password_hash=row.password_hash,
            must_change_password=row.must_change_password,
        )

    async def set_password(self, user_id: str, password_hash: str, must_change: bool) -> bool:
        statement = (
            update(users)
            .where(users.c.user_id == user_id)
            .values(password_hash=password_hash, must_change_password=must_change)
        )
        return await self._database.write(lambda connection: connection.execute(statement).rowcount == 1)

    async def api_keys(self) -> list[ApiKey]:
        return [ApiKey(row.key, row.creation_date) for row in self._database.reader.execute(_KEYS)]

    async def get_config(self, project_id: str) -> GlobalConfig | None:
        statement = select(global_config.c.document).where(global_config.c.project_id == project_id)
        text = self._database.reader.execute(statement).scalar_one_or_none()
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


def _user_values(user: User) -> dict[str, Any]:
    return {
        "user_id": user.user_id,
        "name": user.name,
        "name_folded": user.name.casefold(),
        "role": user.role,
        "registration_date": user.registration_date,
        "role_updated_at": user.role_updated_at,
        "password_hash": user.password_hash,
        "must_change_password": user.must_change_password,
    }
