"""`client.auth`, `client.api_keys`, `client.config`, `client.analytics`: for administrators, with an access token."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import ConfigDict, TypeAdapter

from meet.client.flow import Flow
from meet.client.inputs import OAuthProviderInput, ThemeInput
from meet.client.models.administration import (
    Analytics,
    ApiKey,
    AppearanceConfig,
    CaptionsConfig,
    PasswordChange,
    SecurityConfig,
    Tokens,
    WebhookConfig,
)
from meet.client.models.base import Message
from meet.client.models.users import User
from meet.client.operation import operation
from meet.client.resource import INTERNAL, AsyncResource, Resource, SyncResource, given

_api_keys = TypeAdapter(tuple[ApiKey, ...], config=ConfigDict(defer_build=True))


class AuthOperations(Resource):
    """From a password to tokens. `Client.log_in` also keeps the token for the calls that follow."""

    @operation("login")
    def log_in(self, user_id: str, password: str) -> Flow[Tokens]:
        """Tokens for a user; NotFound when the password or the user is wrong."""
        body = given(user_id=user_id, password=password)
        return self._request("POST", f"{INTERNAL}/auth/login", Tokens.model_validate_json, body=body)

    @operation("logout")
    def log_out(self) -> Flow[Message]:
        """Say good-bye; the server keeps no sessions, so tokens stay good until they expire."""
        return self._request("POST", f"{INTERNAL}/auth/logout", Message.model_validate_json)

    @operation("refreshToken")
    def refresh(self, refresh_token: str) -> Flow[Tokens]:
        """A new access token."""
        headers = {"X-Refresh-Token": f"Bearer {refresh_token}"}
        return self._request("POST", f"{INTERNAL}/auth/refresh", Tokens.model_validate_json, headers=headers)

    @operation("getMe")
    def me(self) -> Flow[User]:
        """Whom the client's access token belongs to."""
        return self._request("GET", f"{INTERNAL}/users/me", User.model_validate_json)

    @operation("changePassword")
    def change_password(self, current_password: str, new_password: str) -> Flow[PasswordChange]:
        """Change the own password."""
        body = given(current_password=current_password, new_password=new_password)
        url = f"{INTERNAL}/users/change-password"
        return self._request("POST", url, PasswordChange.model_validate_json, body=body)


class ApiKeyOperations(Resource):
    """The key of integrations. There is at most one."""

    @operation("createApiKey")
    def create(self) -> Flow[ApiKey]:
        """A new key; the former one stops working."""
        return self._request("POST", f"{INTERNAL}/api-keys", ApiKey.model_validate_json)

    @operation("getApiKeys")
    def list(self) -> Flow[tuple[ApiKey, ...]]:
        """The key, or nothing."""
        return self._request("GET", f"{INTERNAL}/api-keys", _api_keys.validate_json)

    @operation("deleteApiKeys")
    def delete(self) -> Flow[Message]:
        """End access by key, and with it webhooks."""
        return self._request("DELETE", f"{INTERNAL}/api-keys", Message.model_validate_json)


class ConfigOperations(Resource):
    """Settings that are kept in the database."""

    @operation("getWebhookConfig")
    def get_webhooks(self) -> Flow[WebhookConfig]:
        """Where webhooks are sent."""
        return self._request("GET", f"{INTERNAL}/config/webhooks", WebhookConfig.model_validate_json)

    @operation("updateWebhookConfig")
    def set_webhooks(self, *, enabled: bool, url: str | None = None) -> Flow[WebhookConfig]:
        """Switch webhooks on, for which `url` is needed, or off."""
        body = given(enabled=enabled, url=url)
        return self._request("PUT", f"{INTERNAL}/config/webhooks", WebhookConfig.model_validate_json, body=body)

    @operation("testWebhook")
    def test_webhook(self, url: str) -> Flow[Message]:
        """Send one signed test event; InvalidRequest when the receiver does not take it."""
        return self._request("POST", f"{INTERNAL}/config/webhooks/test", Message.model_validate_json, body={"url": url})

    @operation("getSecurityConfig")
    def get_security(self) -> Flow[SecurityConfig]:
        """How people log in; secrets are masked for all but administrators."""
        return self._request("GET", f"{INTERNAL}/config/security", SecurityConfig.model_validate_json)

    @operation("updateSecurityConfig")
    def set_security(self, oauth_providers: Sequence[OAuthProviderInput]) -> Flow[SecurityConfig]:
        """Change how people log in."""
        body = {"authentication": {"oauthProviders": [*oauth_providers]}}
        return self._request("PUT", f"{INTERNAL}/config/security", SecurityConfig.model_validate_json, body=body)

    @operation("getRoomsAppearanceConfig")
    def get_appearance(self) -> Flow[AppearanceConfig]:
        """How rooms look."""
        return self._request("GET", f"{INTERNAL}/config/rooms/appearance", AppearanceConfig.model_validate_json)

    @operation("updateRoomsAppearanceConfig")
    def set_appearance(self, theme: ThemeInput) -> Flow[AppearanceConfig]:
        """Change how rooms look; colours that are left out keep their value."""
        body = {"appearance": {"themes": [theme]}}
        url = f"{INTERNAL}/config/rooms/appearance"
        return self._request("PUT", url, AppearanceConfig.model_validate_json, body=body)

    @operation("getCaptionsConfig")
    def get_captions(self) -> Flow[CaptionsConfig]:
        """Whether captions are switched on."""
        return self._request("GET", f"{INTERNAL}/config/captions", CaptionsConfig.model_validate_json)


class AnalyticsOperations(Resource):
    """Numbers for the overview."""

    @operation("getAnalytics")
    def get(self) -> Flow[Analytics]:
        """How many rooms and recordings there are."""
        return self._request("GET", f"{INTERNAL}/analytics", Analytics.model_validate_json)


class Auth(AuthOperations, SyncResource):
    """Log-in, blocking."""


class AsyncAuth(AuthOperations, AsyncResource):
    """Log-in, with asyncio."""


class ApiKeys(ApiKeyOperations, SyncResource):
    """API keys, blocking."""


class AsyncApiKeys(ApiKeyOperations, AsyncResource):
    """API keys, with asyncio."""


class Config(ConfigOperations, SyncResource):
    """Settings, blocking."""


class AsyncConfig(ConfigOperations, AsyncResource):
    """Settings, with asyncio."""


class AnalyticsNumbers(AnalyticsOperations, SyncResource):
    """Numbers, blocking."""


class AsyncAnalyticsNumbers(AnalyticsOperations, AsyncResource):
    """Numbers, with asyncio."""
