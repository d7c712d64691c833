"""AuthService: who is calling, and the tokens of registered users (contract 1.4, 2.5.1, 2.5.3)."""

from __future__ import annotations

import hmac

import structlog

from .callers import ANONYMOUS, Caller
from .clock import Clock
from .errors import (
    InsufficientPermissions,
    InvalidApiKey,
    InvalidApiKeySubject,
    InvalidCredentials,
    InvalidCurrentPassword,
    InvalidRefreshToken,
    InvalidToken,
    InvalidTokenSubject,
    MeetError,
    MissingRefreshToken,
    NoApiKeyConfigured,
    PasswordChangeRequired,
    Unauthorized,
)
from .member_claims import MemberClaims
from .model.user import ApiKey, GlobalConfig, TokenPair, User, UserRole
from .passwords import hash_password, verify_password
from .ports import AccountRepository
from .settings import CoreSettings
from .token_codec import TokenCodec

log = structlog.get_logger(__name__)


class AuthService:
    """Turns credentials into callers, and passwords into tokens."""

    def __init__(
        self,
        *,
        accounts: AccountRepository,
        claims: MemberClaims,
        codec: TokenCodec,
        clock: Clock,
        settings: CoreSettings,
    ) -> None:
        self._accounts = accounts
        self._claims = claims
        self._codec = codec
        self._clock = clock
        self._settings = settings

    async def bootstrap(self) -> None:
        """First start of this project id: global configuration, root admin and API key. Later starts change nothing."""
        settings = self._settings
        if await self._accounts.get_config(settings.name_id) is not None:
            return
        now = self._clock.now_ms()
        admin = User(
            user_id=settings.initial_admin_user,
            name="Admin",
            role="admin",
            registration_date=now,
            role_updated_at=now,
            password_hash=await hash_password(settings.initial_admin_password),
        )
        key = ApiKey(settings.initial_api_key, now) if settings.initial_api_key else None
        if await self._accounts.initialise(_initial_config(settings), admin, key):
            log.info("storage_initialised", project=settings.name_id, admin=admin.user_id, api_key=key is not None)

    async def by_api_key(self, key: str) -> Caller:
        """The root admin. Raises NoApiKeyConfigured, InvalidApiKey, InvalidApiKeySubject."""
        stored = await self._accounts.api_keys()
        if not stored:
            raise NoApiKeyConfigured
        given = key.encode()
        known = any(hmac.compare_digest(given, each.key.encode()) for each in stored)
        if not known or key.lower() in self._settings.guessable:
            raise InvalidApiKey
        root = await self._accounts.get_user(self._settings.initial_admin_user)
        if root is None:
            raise InvalidApiKeySubject
        return Caller("api_key", user=root)

    async def by_access_token(
        self,
        token: str,
        *,
        roles: frozenset[UserRole] | None = None,
        password_change_allowed: bool = False,
    ) -> Caller:
        """The token's user. `roles` None welcomes every role; `password_change_allowed` is for the user's own pages.

        Raises InvalidToken, InvalidTokenSubject, PasswordChangeRequired, InsufficientPermissions, in that order."""
        claims = self._codec.verify_user(token)
        if claims.kind == "refresh":
            raise InvalidToken
        user = await self._accounts.get_user(claims.user_id)
        if user is None:
            raise InvalidTokenSubject
        if claims.issued_at < user.role_updated_at:
            raise InvalidToken
        restricted = user.must_change_password or claims.kind == "temporary"
        if restricted and not password_change_allowed:
            raise PasswordChangeRequired
        if not user.must_change_password and claims.issued_at < user.sessions_since:
            raise InvalidToken
        if roles is not None and user.role not in roles:
            raise InsufficientPermissions
        return Caller("user", user=user)

    async def by_room_member_token(self, token: str, access_token: str | None = None) -> Caller:
        """The token's member context; a valid access token that came along adds its user. Raises InvalidToken."""
        claims = self._codec.verify_member(token)
        if not await self._claims.hold(claims):
            raise InvalidToken
        return Caller("room_member", user=(await self.anonymous(access_token)).user, member=claims)

    async def anonymous(self, access_token: str | None = None) -> Caller:
        """Nobody in particular, with the user of an access token that came along and holds. Never raises.

        Stricter than upstream: such a token passes all checks of `by_access_token` (contract appendix D)."""
        if access_token is None:
            return ANONYMOUS
        try:
            return Caller("anonymous", user=(await self.by_access_token(access_token)).user)
        except MeetError:
            return ANONYMOUS

    async def login(self, user_id: str, password: str) -> TokenPair:
        """A token pair, or a temporary token when the password must change first. Raises InvalidCredentials."""
        user = await self._accounts.get_user(user_id)
        if not await verify_password(password, user.password_hash if user else None) or user is None:
            raise InvalidCredentials
        if password.lower() in self._settings.guessable:
            log.warning("guessable_password_refused", user=user_id)
            raise InvalidCredentials
        if user.must_change_password:
            token = self._codec.sign_user(user.user_id, user.name, "temporary")
            return TokenPair(token, must_change_password=True)
        return self._pair(user)

    async def refresh(self, token: str | None) -> tuple[User, TokenPair]:
        """A new access token (and refresh token, with rotation) for the holder of a refresh token.

        Raises MissingRefreshToken, InvalidRefreshToken, InvalidTokenSubject, PasswordChangeRequired."""
        if not token:
            raise MissingRefreshToken
        try:
            claims = self._codec.verify_user(token)
        except InvalidToken:
            raise InvalidRefreshToken from None
        if claims.kind != "refresh":
            raise InvalidRefreshToken
        user = await self._accounts.get_user(claims.user_id)
        if user is None:
            raise InvalidTokenSubject
        if user.must_change_password:
            raise PasswordChangeRequired
        if claims.issued_at < user.sessions_since:
            raise InvalidRefreshToken
        pair = self._pair(user)
        return user, pair if self._settings.refresh_token_rotation else TokenPair(pair.access_token)

    async def change_password(self, caller: Caller, current: str, new: str) -> TokenPair | None:
        """Replace the caller's own password; a token pair when the change was mandatory.

        A mandatory change ends all older sessions: whoever made it necessary must not go on with theirs.
        Raises Unauthorized, InvalidCurrentPassword."""
        user = await self.me(caller)
        if not await verify_password(current, user.password_hash):
            raise InvalidCurrentPassword
        since = self._clock.now_ms() if user.must_change_password else None
        await self._accounts.set_password(user.user_id, await hash_password(new), False, sessions_since=since)
        log.info("password_changed", user=user.user_id)
        return self._pair(user) if user.must_change_password else None

    async def me(self, caller: Caller) -> User:
        """The caller's user. Raises Unauthorized for callers without one."""
        if caller.user is None:
            raise Unauthorized
        return caller.user

    def _pair(self, user: User) -> TokenPair:
        return TokenPair(
            self._codec.sign_user(user.user_id, user.name, "access"),
            self._codec.sign_user(user.user_id, user.name, "refresh"),
        )


def _initial_config(settings: CoreSettings) -> GlobalConfig:
    """Contract 3.10: webhooks need a key to be signed with."""
    webhooks: dict[str, object] = {"enabled": settings.initial_webhook_enabled and bool(settings.initial_api_key)}
    if settings.initial_webhook_url:
        webhooks["url"] = settings.initial_webhook_url
    return GlobalConfig(
        project_id=settings.name_id,
        webhooks=webhooks,
        security={"authentication": {"oauthProviders": []}},
        rooms={"appearance": {"themes": []}},
    )
