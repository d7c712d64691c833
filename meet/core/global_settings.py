"""GlobalSettings: ways to log in, and how rooms look (contract 2.5.4, 3.10)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import structlog

from .callers import Caller
from .edit_errors import ConfigurationChanged
from .edits import Versions, outdated, overtaken
from .model.user import GlobalConfig
from .permissions import require_admin
from .ports import AccountRepository

log = structlog.get_logger(__name__)

MASK: Final = "********"
"""What others than administrators see of a client secret."""


class GlobalSettings:
    """Security and appearance, one set per project id."""

    def __init__(self, *, accounts: AccountRepository, project_id: str) -> None:
        self._accounts = accounts
        self._project_id = project_id

    async def security(self, caller: Caller) -> dict[str, Any]:
        """For everybody, with client secrets masked for all but administrators (contract appendix D)."""
        stored = await self._accounts.get_config(self._project_id)
        document = _security(stored)
        return document if caller.is_admin else _masked(document)

    async def set_security(
        self, caller: Caller, document: dict[str, Any], *, versions: Versions = None
    ) -> dict[str, Any]:
        """Replace it. Raises InsufficientPermissions, ConfigurationChanged (in none of the `versions`, or somebody else
        was faster)."""
        require_admin(caller)
        before = await self.security(caller)

        def change(config: GlobalConfig) -> GlobalConfig:
            if outdated(_security(config), versions) or _security(config) not in (before, document):
                raise ConfigurationChanged
            return replace(config, security=document)

        await self._accounts.modify_config(self._project_id, change)
        log.info("security_configured")
        return document

    async def appearance(self) -> dict[str, Any]:
        """`{themes: [...]}`, for everybody."""
        stored = await self._accounts.get_config(self._project_id)
        return _appearance(stored.rooms if stored else {})

    async def set_appearance(
        self, caller: Caller, appearance: Mapping[str, Any], *, versions: Versions = None
    ) -> dict[str, Any]:
        """Store the one theme; colours left out keep their stored value. Raises InsufficientPermissions,
        ConfigurationChanged."""
        require_admin(caller)
        [theme] = appearance["themes"]
        before = _theme(await self.appearance())

        def change(config: GlobalConfig) -> GlobalConfig:
            stored = _appearance(config.rooms)
            if outdated(stored, versions) or overtaken(theme, before, _theme(stored)):
                raise ConfigurationChanged
            return replace(config, rooms=_with_theme(config.rooms, theme))

        changed = await self._accounts.modify_config(self._project_id, change)
        log.info("appearance_configured", theme=theme["name"], enabled=theme["enabled"])
        return _appearance(changed.rooms if changed else {})


def _appearance(rooms: Mapping[str, Any]) -> dict[str, Any]:
    appearance: dict[str, Any] = rooms.get("appearance") or {"themes": []}
    return appearance


def _theme(appearance: Mapping[str, Any]) -> dict[str, Any]:
    theme: dict[str, Any] = next(iter(appearance["themes"]), {})
    return theme


def _with_theme(rooms: Mapping[str, Any], theme: Mapping[str, Any]) -> dict[str, Any]:
    return {**rooms, "appearance": {"themes": [{**_theme(_appearance(rooms)), **theme}]}}


def _security(config: GlobalConfig | None) -> dict[str, Any]:
    return config.security if config and config.security else {"authentication": {"oauthProviders": []}}


def _masked(security: Mapping[str, Any]) -> dict[str, Any]:
    authentication = security["authentication"]
    providers = [{**provider, "clientSecret": MASK} for provider in authentication["oauthProviders"]]
    return {**security, "authentication": {**authentication, "oauthProviders": providers}}
