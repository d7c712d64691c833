"""`meet config`: the settings that live in the database. The others are environment variables of `meet serve`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

import click

from meet.cli.connection import Session, operator
from meet.cli.output import on_off, print_facts, print_json

if TYPE_CHECKING:
    from meet.client.inputs import ThemeInput

_THEME: Final = ("backgroundColor", "primaryColor", "secondaryColor", "accentColor", "surfaceColor")
_NAMES: Final = (
    "webhooks.enabled",
    "webhooks.url",
    "theme.name",
    "theme.enabled",
    "theme.baseTheme",
    *(f"theme.{color}" for color in _THEME),
)
_ON_OFF: Final = {"on": True, "true": True, "off": False, "false": False}


@click.group()
def config() -> None:
    """Settings in the database: show, set. Needs an administrator's login.

    Settings of the processes are environment variables: see `meet serve --help`.
    """


def _collect(session: Session) -> dict[str, Any]:
    client = session.client.config
    return {
        "webhooks": client.get_webhooks().to_json(),
        **client.get_appearance().to_json(),
        "captions": client.get_captions().to_json(),
        "security": client.get_security().to_json(),
    }


def _print(session: Session) -> None:
    found = _collect(session)
    if session.as_json:
        for provider in found["security"]["authentication"]["oauthProviders"]:
            provider["clientSecret"] = "***"
        print_json(found)
        return
    webhooks = found["webhooks"]
    theme: dict[str, Any] = next(iter(found["appearance"]["themes"]), {})
    providers = ", ".join(item["provider"] for item in found["security"]["authentication"]["oauthProviders"])
    print_facts(
        [
            ("webhooks.enabled", on_off(webhooks["enabled"])),
            ("webhooks.url", webhooks.get("url", "")),
            *((f"theme.{key}", on_off(value) if isinstance(value, bool) else value) for key, value in theme.items()),
            ("captions", f"{on_off(found['captions']['enabled'])} (MEET_CAPTIONS_ENABLED)"),
            ("log-in through", providers),
        ]
    )


@config.command()
@operator(admin=True)
def show(session: Session) -> None:
    """Show all settings."""
    _print(session)


@config.command("set", epilog=f"Names: {', '.join(_NAMES)}.")
@click.argument("settings", nargs=-1, required=True, metavar="NAME=VALUE...")
@operator(admin=True)
def set_config(session: Session, settings: tuple[str, ...]) -> None:
    """Change settings, as in `meet config set webhooks.url=https://example.com/events webhooks.enabled=on`.

    An address for webhooks switches them on unless webhooks.enabled says otherwise.
    """
    values = dict(_parse(text) for text in settings)
    client = session.client.config
    if any(name.startswith("webhooks.") for name in values):
        enabled = values.get("webhooks.enabled", "webhooks.url" in values)
        url = values.get("webhooks.url") or client.get_webhooks().url
        client.set_webhooks(enabled=enabled, url=url or None)
    theme = {name.removeprefix("theme."): value for name, value in values.items() if name.startswith("theme.")}
    if theme:
        present = next((item.to_json() for item in client.get_appearance().appearance.themes), None)
        default = present or {"name": "default", "enabled": True, "baseTheme": "light"}
        client.set_appearance(cast("ThemeInput", {**default, **theme}))
    _print(session)


def _parse(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals or name not in _NAMES:
        raise click.UsageError(f"{text!r} is not NAME=VALUE with one of the names {', '.join(_NAMES)}")
    if not name.endswith(".enabled"):
        return name, value
    if value not in _ON_OFF:
        raise click.UsageError(f"{name} is on or off, not {value!r}")
    return name, _ON_OFF[value]
