"""Who calls (contract 1.4): the strongest credential that is present and accepted decides alone.

Roles and the permission to use a password-change token are written in the documents, as the scope list of
`accessTokenHeader`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

from meet.core.auth import AuthService
from meet.core.callers import ANONYMOUS as NOBODY
from meet.core.callers import Caller
from meet.core.errors import Forbidden, MeetError, Unauthenticated, Unauthorized
from meet.core.model.user import User, UserRole
from meet.http import Call, HttpApp
from meet.http.security import ANONYMOUS

API_KEY = "apiKeyHeader"
ROOM_MEMBER = "roomMemberTokenHeader"
ACCESS = "accessTokenHeader"
RECORDING_SECRET = "recordingSecret"  # noqa: S105  # the name of a scheme

_PASSWORD_CHANGE = "password_change"  # noqa: S105  # the name of a scope


@dataclass(frozen=True, slots=True)
class SecretHolder:
    """Somebody who came with the secret of a shared recording.

    `user` is set when a valid access token came along; `refusal` says why one that came along did not count.
    """

    secret: str = field(repr=False)
    user: User | None = None
    refusal: MeetError | None = None


class MeetAuthenticator:
    """`meet.http.Authenticator` over the domain's AuthService. `scopes` maps operation ids to what their document
    lists for `accessTokenHeader`."""

    def __init__(self, auth: AuthService, scopes: Mapping[str, frozenset[str]]) -> None:
        self._auth = auth
        self._scopes = scopes

    async def authenticate(self, call: Call, schemes: frozenset[str]) -> Caller | SecretHolder:
        """Raises the domain's Unauthenticated and Forbidden errors."""
        if RECORDING_SECRET in schemes:
            secret = recording_secret(call)
            if secret is not None:
                return await self._secret_holder(call, secret)
        if ANONYMOUS in schemes and _has_room_secret(call):
            return await self._auth.anonymous(call.credential(ACCESS))
        if API_KEY in schemes and (key := call.credential(API_KEY)):
            return await self._auth.by_api_key(key)
        if ROOM_MEMBER in schemes and (token := call.credential(ROOM_MEMBER)):
            return await self._auth.by_room_member_token(token, call.credential(ACCESS))
        if ACCESS in schemes and (token := call.credential(ACCESS)):
            return await self._by_access_token(call, token)
        if schemes.isdisjoint((API_KEY, ROOM_MEMBER, ACCESS)):
            # Tokens with rules of their own (refresh tokens) are read and checked by the service behind the handler.
            return NOBODY
        raise Unauthorized

    async def _by_access_token(self, call: Call, token: str) -> Caller:
        scopes = self._scopes.get(call.operation_id, frozenset())
        roles = cast(frozenset[UserRole], scopes - {_PASSWORD_CHANGE}) or None
        return await self._auth.by_access_token(token, roles=roles, password_change_allowed=_PASSWORD_CHANGE in scopes)

    async def _secret_holder(self, call: Call, secret: str) -> SecretHolder:
        token = call.credential(ACCESS)
        if token is None:
            return SecretHolder(secret)
        try:
            caller = await self._by_access_token(call, token)
        except (Unauthenticated, Forbidden) as refusal:
            # Only a private secret needs the token; with a public one a stale login must not matter.
            return SecretHolder(secret, refusal=refusal)
        return SecretHolder(secret, caller.user)


def access_scopes(app: HttpApp) -> dict[str, frozenset[str]]:
    """Operation id -> scopes of `accessTokenHeader`, read from the documents of an application."""
    scopes: dict[str, frozenset[str]] = {}
    for api in app.apis:
        for item in api.specification["paths"].values():
            for operation in item.values():
                if not isinstance(operation, dict):
                    continue
                for requirement in operation.get("security", ()):
                    if ACCESS in requirement:
                        scopes[operation["operationId"]] = frozenset(requirement[ACCESS])
    return scopes


def recording_secret(call: Call) -> str | None:
    """The secret in the query; its older name counts too, an empty one does not (contract 4.5, 8.3)."""
    return call.params.get("recordingSecret") or call.params.get("secret") or None


def caller(call: Call) -> Caller:
    """The principal of an operation that takes no recording secret."""
    return cast(Caller, call.principal)


def _has_room_secret(call: Call) -> bool:
    return isinstance(call.body, dict) and bool(call.body.get("secret"))
