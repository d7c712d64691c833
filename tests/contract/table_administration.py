"""Internal operations for administrators: contract 2.5.2, 2.5.4, 2.5.8, and what everybody may read of them."""

# ruff: noqa: E501  (a table reads best with one exchange per line)
from __future__ import annotations

from .table import MALFORMED, TOO_LARGE, Operation, Situation, Stage
from .table_internal import Exchange, accounts_gone, editor, forged, user
from .table_rooms import failing

KEYS = "/internal-api/v1/api-keys"
SECURITY = "/internal-api/v1/config/security"
APPEARANCE = "/internal-api/v1/config/rooms/appearance"
THEME = {"name": "main", "enabled": True, "baseTheme": "dark", "primaryColor": "#12ab"}
PROVIDER = {"provider": "github", "clientId": "id", "clientSecret": "secret", "redirectUri": "https://meet.example/"}


def themes(*wanted: object) -> dict[str, object]:
    return {"appearance": {"themes": list(wanted)}}


def providers(*wanted: object) -> dict[str, object]:
    return {"authentication": {"oauthProviders": list(wanted)}}


OPERATIONS = [
    Operation("createApiKey", "POST", KEYS, "A", 201),
    Operation("getApiKeys", "GET", KEYS, "A", 200),
    Operation("deleteApiKeys", "DELETE", KEYS, "A", 200),
    Operation("getAnalytics", "GET", "/internal-api/v1/analytics", "A", 200, situations=(failing("getting analytics"),)),
    Operation(
        "updateSecurityConfig",
        "PUT",
        SECURITY,
        "A",
        200,
        body=providers(PROVIDER),
        situations=(
            MALFORMED,
            TOO_LARGE,
            Situation("nothing", Stage.VALIDATION, 422, body={}, error="Required"),
            Situation(
                "an unknown provider",
                Stage.VALIDATION,
                422,
                body=providers({**PROVIDER, "provider": "x"}),
                error="Invalid enum value. Expected 'google' | 'github', received 'x'",
            ),
        ),
    ),
    Operation(
        "updateRoomsAppearanceConfig",
        "PUT",
        APPEARANCE,
        "A",
        200,
        body=themes(THEME),
        situations=(
            MALFORMED,
            TOO_LARGE,
            Situation("nothing", Stage.VALIDATION, 422, body={}, error="Required"),
            Situation("no theme", Stage.VALIDATION, 422, body=themes(), error="There must be exactly one theme defined"),
            Situation("two themes", Stage.VALIDATION, 422, body=themes(THEME, THEME), error="There must be exactly one theme defined"),
            Situation("an empty name", Stage.VALIDATION, 422, body=themes({**THEME, "name": ""}), error="Theme name cannot be empty"),
            Situation("a name of many words", Stage.VALIDATION, 422, body=themes({**THEME, "name": "a b"}), error="Theme name can only contain letters, numbers, hyphens and underscores"),
            Situation("a colour by name", Stage.VALIDATION, 422, body=themes({**THEME, "accentColor": "red"}), error="Must be a valid hex color code (with or without alpha)"),
            Situation("a colour of five digits", Stage.VALIDATION, 422, body=themes({**THEME, "accentColor": "#12345"}), error="Must be a valid hex color code (with or without alpha)"),
        ),
    ),
]  # fmt: skip

EXCHANGES = [
    Exchange("createApiKey", "database gone", "POST", KEYS, 500, headers=user("admin"), prepare=accounts_gone, error="Unexpected error while creating API key"),
    Exchange("getApiKeys", "database gone", "GET", KEYS, 500, headers=user("admin"), prepare=accounts_gone, error="Unexpected error while getting API keys"),
    Exchange("deleteApiKeys", "database gone", "DELETE", KEYS, 500, headers=user("admin"), prepare=accounts_gone, error="Unexpected error while deleting API keys"),
    Exchange("updateSecurityConfig", "an old version", "PUT", SECURITY, 409, providers(), editor, error="The configuration has been changed in the meantime"),
    Exchange("updateRoomsAppearanceConfig", "an old version", "PUT", APPEARANCE, 409, themes(THEME), editor, error="The configuration has been changed in the meantime"),
    Exchange("updateSecurityConfig", "database gone", "PUT", SECURITY, 500, providers(), user("admin"), prepare=accounts_gone, error="Unexpected error while updating security config"),
    Exchange("updateRoomsAppearanceConfig", "database gone", "PUT", APPEARANCE, 500, themes(THEME), user("admin"), prepare=accounts_gone, error="Unexpected error while updating rooms appearance config"),
    Exchange("getSecurityConfig", "anybody", "GET", SECURITY, 200),
    Exchange("getSecurityConfig", "admin", "GET", SECURITY, 200, headers=user("admin")),
    Exchange("getSecurityConfig", "a forged login", "GET", SECURITY, 200, headers=forged),
    Exchange("getSecurityConfig", "database gone", "GET", SECURITY, 500, prepare=accounts_gone, error="Unexpected error while getting security config"),
    Exchange("getRoomsAppearanceConfig", "anybody", "GET", APPEARANCE, 200),
    Exchange("getRoomsAppearanceConfig", "a forged login", "GET", APPEARANCE, 200, headers=forged),
    Exchange("getRoomsAppearanceConfig", "database gone", "GET", APPEARANCE, 500, prepare=accounts_gone, error="Unexpected error while getting rooms appearance config"),
]  # fmt: skip
