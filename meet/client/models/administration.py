"""Log-in, API keys, the server's own settings and numbers."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from meet.client.models.base import Milliseconds, Model


class Tokens(Model):
    """The answer to a login. `must_change_password`: the access token is good for nothing else yet."""

    message: str
    access_token: str = Field(repr=False)
    refresh_token: str | None = Field(None, repr=False)
    must_change_password: bool = False


class PasswordChange(Model):
    """A changed password; with fresh tokens when the change was required."""

    message: str
    access_token: str | None = Field(None, repr=False)
    refresh_token: str | None = Field(None, repr=False)


class ApiKey(Model):
    """The key of integrations, which also signs webhooks."""

    key: str = Field(repr=False)
    creation_date: Milliseconds


class RoomMemberToken(Model):
    """The token of one member of one room; one made for joining opens the media server, too."""

    token: str = Field(repr=False)


class Analytics(Model):
    """How many rooms and recordings there are. An active room has a meeting at the moment."""

    total_rooms: int
    active_rooms: int
    total_recordings: int
    complete_recordings: int


class WebhookConfig(Model):
    """Where webhooks are sent."""

    enabled: bool
    url: str | None = None


class CaptionsConfig(Model):
    """Whether captions are switched on."""

    enabled: bool


class OAuthProvider(Model):
    """A way to log in through somebody else."""

    provider: Literal["google", "github"] | str
    client_id: str
    client_secret: str = Field(repr=False)
    redirect_uri: str


class Authentication(Model):
    """All ways to log in through somebody else."""

    oauth_providers: tuple[OAuthProvider, ...]


class SecurityConfig(Model):
    """How people log in."""

    authentication: Authentication


class Theme(Model):
    """The colours of a room, as `#rgb`, `#rgba`, `#rrggbb` or `#rrggbbaa`."""

    name: str
    enabled: bool
    base_theme: Literal["light", "dark"] | str
    background_color: str | None = None
    primary_color: str | None = None
    secondary_color: str | None = None
    accent_color: str | None = None
    surface_color: str | None = None


class Themes(Model):
    """The themes; there is one at most."""

    themes: tuple[Theme, ...]


class AppearanceConfig(Model):
    """How rooms look."""

    appearance: Themes
