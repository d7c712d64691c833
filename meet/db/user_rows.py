"""Rows of `users`."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, bindparam, select, update

from meet.core.model.user import User

from .tables import users

_BY_ID = select(users).where(users.c.user_id == bindparam("user_id"))


def stored_user(connection: Connection, user_id: str) -> User | None:
    """The user as this connection sees it, None when absent."""
    row = connection.execute(_BY_ID, {"user_id": user_id}).one_or_none()
    return user_of(row) if row is not None else None


def store_password(
    connection: Connection, user_id: str, password_hash: str, must_change: bool, sessions_since: int | None = None
) -> bool:
    """Replace hash and flag, and `sessions_since` when given; False when the user is absent."""
    values: dict[str, Any] = {"password_hash": password_hash, "must_change_password": must_change}
    if sessions_since is not None:
        values["sessions_since"] = sessions_since
    return connection.execute(update(users).where(users.c.user_id == user_id).values(values)).rowcount == 1


def user_of(row: Row[*tuple[Any, ...]]) -> User:
    """The user a row describes."""
    return User(
        user_id=row.user_id,
        name=row.name,
        role=row.role,
        registration_date=row.registration_date,
        role_updated_at=row.role_updated_at,
        password_hash=row.password_hash,
        must_change_password=row.must_change_password,
        sessions_since=row.sessions_since,
    )


def user_values(user: User) -> dict[str, Any]:
    """All columns of a user."""
    return {
        "user_id": user.user_id,
        "name": user.name,
        "name_folded": user.name.casefold(),
        "role": user.role,
        "registration_date": user.registration_date,
        "role_updated_at": user.role_updated_at,
        "password_hash": user.password_hash,
        "must_change_password": user.must_change_password,
        "sessions_since": user.sessions_since,
    }
