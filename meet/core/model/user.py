"""Users, API keys and the global configuration (contract 3.7, 3.9, 3.10)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

UserRole: TypeAlias = Literal["admin", "room_manager", "room_member"]


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A registered user as stored. Times in ms. The hash never leaves the server."""

    user_id: str
    name: str
    role: UserRole
    registration_date: int
    role_updated_at: int
    password_hash: str = field(repr=False)
    must_change_password: bool = False
    sessions_since: int = 0
    """When the password was last changed because it had to be: older tokens are void, whoever holds them."""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """The one API key; it also signs outgoing webhooks."""

    key: str = field(repr=False)
    creation_date: int


@dataclass(frozen=True, slots=True)
class GlobalConfig:
    """Settings that live in the database, one set per project id, as plain documents."""

    project_id: str
    webhooks: dict[str, Any]
    security: dict[str, Any]
    rooms: dict[str, Any]


@dataclass(frozen=True, slots=True)
class TokenPair:
    """What a login or a refresh answers. `refresh_token` is None for temporary tokens and without rotation."""

    access_token: str = field(repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    must_change_password: bool = False
