"""Credentials, logins, and first start."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import jwt
import pytest
from sqlalchemy import delete, update

from meet.core.callers import RoomMemberClaims
from meet.core.errors import (
    InsufficientPermissions,
    InvalidApiKey,
    InvalidApiKeySubject,
    InvalidCredentials,
    InvalidCurrentPassword,
    InvalidRefreshToken,
    InvalidToken,
    InvalidTokenSubject,
    MissingRefreshToken,
    NoApiKeyConfigured,
    PasswordChangeRequired,
    Unauthorized,
)
from meet.core.model.permissions import SPEAKER, overlay
from meet.core.services import build
from meet.core.settings import CoreSettings
from meet.core.token_codec import TokenCodec
from meet.db import Database
from meet.db.tables import api_keys, users
from tests.support.recorder import RecorderInMemory
from tests.unit.core.conftest import API_KEY, PASSWORD, World
from tests.unit.core.fakes import FakeBlobs, FakeClock, FakeMedia, FakeReceiver


async def test_first_start_only_once(tmp_path: Path, settings: CoreSettings) -> None:
    database = Database.open(tmp_path / "deep" / "meet.db")
    clock = FakeClock()
    media = FakeMedia(clock)
    for password in (PASSWORD, "another one"):
        changed = replace(settings, initial_admin_password=password)
        core = build(
            changed,
            database.repositories(),
            media=media,
            agents=media,
            recorder=RecorderInMemory(media),
            blobs=FakeBlobs(),
            clock=clock,
            transport=FakeReceiver(),
            base_url=lambda: "https://meet.example",
        )
        await core.auth.bootstrap()
        assert (await core.auth.login("admin", PASSWORD)).refresh_token is not None
        caller = await core.auth.by_api_key(API_KEY)
        assert (caller.kind, caller.is_admin) == ("api_key", True)
    database.close()


async def test_guessable_credentials_of_a_private_past_are_refused(tmp_path: Path, settings: CoreSettings) -> None:
    """Stored while only this machine could reach the server, then opened to others."""
    database = Database.open(tmp_path / "meet.db")
    clock = FakeClock()
    weak = replace(settings, initial_admin_password="admin", initial_api_key="meet-api-key")
    for guessable in (frozenset[str](), frozenset({"admin", "meet-api-key"})):
        core = build(
            replace(weak, guessable=guessable),
            database.repositories(),
            media=FakeMedia(clock),
            agents=FakeMedia(clock),
            recorder=RecorderInMemory(FakeMedia(clock)),
            blobs=FakeBlobs(),
            clock=clock,
            transport=FakeReceiver(),
            base_url=lambda: "https://meet.example",
        )
        await core.auth.bootstrap()
        if not guessable:
            assert (await core.auth.login("admin", "admin")).refresh_token is not None
            await core.auth.by_api_key("meet-api-key")
            continue
        with pytest.raises(InvalidCredentials):
            await core.auth.login("admin", "admin")
        with pytest.raises(InvalidApiKey):
            await core.auth.by_api_key("meet-api-key")
    database.close()


async def test_api_key(world: World) -> None:
    auth = world.core.auth
    assert (await auth.by_api_key(API_KEY)).user == world.admin.user
    for wrong in ("", "ünï", API_KEY + "x"):
        with pytest.raises(InvalidApiKey):
            await auth.by_api_key(wrong)
    await world.database.write(lambda connection: connection.execute(delete(users)))
    with pytest.raises(InvalidApiKeySubject):
        await auth.by_api_key(API_KEY)
    await world.database.write(lambda connection: connection.execute(delete(api_keys)))
    with pytest.raises(NoApiKeyConfigured):
        await auth.by_api_key(API_KEY)


async def test_login_gives_tokens_of_the_documented_form(world: World) -> None:
    pair = await world.core.auth.login("admin", PASSWORD)
    payload = jwt.decode(pair.access_token, options={"verify_signature": False})
    now = world.clock.now // 1000
    assert payload == {
        "iss": "devkey",
        "sub": "admin",
        "name": "Admin",
        "nbf": now,
        "exp": now + 7200,
        "metadata": f'{{"iat":{world.clock.now},"tokenType":"access"}}',
    }
    assert pair.refresh_token is not None
    caller = await world.core.auth.by_access_token(pair.access_token, roles=frozenset({"admin"}))
    assert (caller.kind, caller.user) == ("user", world.admin.user)
    with pytest.raises(InvalidToken):
        await world.core.auth.by_access_token(pair.refresh_token)


@pytest.mark.parametrize(("user", "password"), [("admin", "wrong password"), ("nobody", PASSWORD), ("admin", "")])
async def test_bad_login(world: World, user: str, password: str) -> None:
    with pytest.raises(InvalidCredentials):
        await world.core.auth.login(user, password)


async def test_access_token_checks(world: World) -> None:
    plain = await world.user("plain1")
    token = (await world.core.auth.login("plain1", PASSWORD)).access_token
    assert (await world.core.auth.by_access_token(token)).user == plain.user
    with pytest.raises(InsufficientPermissions):
        await world.core.auth.by_access_token(token, roles=frozenset({"admin"}))
    changed = update(users).where(users.c.user_id == "plain1").values(role_updated_at=world.clock.now + 1)
    await world.database.write(lambda connection: connection.execute(changed))
    with pytest.raises(InvalidToken):
        await world.core.auth.by_access_token(token)
    await world.database.write(lambda connection: connection.execute(delete(users).where(users.c.user_id == "plain1")))
    with pytest.raises(InvalidTokenSubject):
        await world.core.auth.by_access_token(token)
    fresh = (await world.core.auth.login("admin", PASSWORD)).access_token
    world.clock.advance(7200)
    with pytest.raises(InvalidToken):
        await world.core.auth.by_access_token(fresh)


@pytest.mark.parametrize("tampering", ["", "a.b.c", "unsigned", "other key", "other issuer", "no metadata", "array"])
async def test_tampered_tokens(world: World, tampering: str, settings: CoreSettings) -> None:
    good = jwt.decode(
        (await world.core.auth.login("admin", PASSWORD)).access_token, options={"verify_signature": False}
    )
    secret = settings.livekit_api_secret
    forged = {
        "unsigned": lambda: jwt.encode(good, "", algorithm="none"),
        "other key": lambda: jwt.encode(good, secret + "x", algorithm="HS256"),
        "other issuer": lambda: jwt.encode({**good, "iss": "x"}, secret, algorithm="HS256"),
        "no metadata": lambda: jwt.encode({**good, "metadata": None}, secret, algorithm="HS256"),
        "array": lambda: jwt.encode({**good, "metadata": "[1]"}, secret, algorithm="HS256"),
    }
    token = forged[tampering]() if tampering in forged else tampering
    with pytest.raises(InvalidToken):
        await world.core.auth.by_access_token(token)


async def test_mandatory_password_change(world: World) -> None:
    await world.user("novice", must_change=True)
    auth = world.core.auth
    pair = await auth.login("novice", PASSWORD)
    assert (pair.must_change_password, pair.refresh_token) == (True, None)
    with pytest.raises(PasswordChangeRequired):
        await auth.by_access_token(pair.access_token)
    caller = await auth.by_access_token(pair.access_token, password_change_allowed=True)
    with pytest.raises(InvalidCurrentPassword):
        await auth.change_password(caller, "not it", "new password")
    fresh = await auth.change_password(caller, PASSWORD, "new password")
    assert fresh is not None
    assert (await auth.by_access_token(fresh.access_token)).user is not None
    with pytest.raises(PasswordChangeRequired):  # the temporary token stays temporary
        await auth.by_access_token(pair.access_token)
    again = await auth.by_access_token(fresh.access_token)
    assert await auth.change_password(again, "new password", PASSWORD) is None


async def test_long_passwords_are_cut_where_bcrypt_stops_reading(world: World) -> None:
    caller = await world.user("verbose")
    await world.core.auth.change_password(caller, PASSWORD, "é" * 50)
    assert (await world.core.auth.login("verbose", "é" * 50)).refresh_token is not None


async def test_refresh(world: World) -> None:
    pair = await world.core.auth.login("admin", PASSWORD)
    world.clock.advance(60)
    user, fresh = await world.core.auth.refresh(pair.refresh_token)
    assert user.user_id == "admin"
    assert fresh.refresh_token is not None
    for missing in (None, ""):
        with pytest.raises(MissingRefreshToken):
            await world.core.auth.refresh(missing)
    for wrong in (pair.access_token, "junk"):
        with pytest.raises(InvalidRefreshToken):
            await world.core.auth.refresh(wrong)


async def test_room_member_token_dies_with_the_roles_and_the_member(world: World) -> None:
    room = await world.room()
    codec = TokenCodec(world.core.settings, world.clock)
    base = RoomMemberClaims(
        iat=world.clock.now, room_id=room.room_id, permissions=overlay(SPEAKER, None), badge="other"
    )
    token = codec.sign_member(base)
    caller = await world.core.auth.by_room_member_token(token)
    assert (caller.kind, caller.member, caller.user) == ("room_member", base, None)
    access = (await world.core.auth.login("admin", PASSWORD)).access_token
    assert (await world.core.auth.by_room_member_token(token, access)).user == world.admin.user
    assert (await world.core.auth.by_room_member_token(token, "junk")).user is None
    for claims in (
        replace(base, room_id="nowhere"),
        replace(base, member_id="guest-1"),
        replace(base, user_id="nobody"),
        replace(base, iat=room.roles_updated_at - 1),
    ):
        with pytest.raises(InvalidToken):
            await world.core.auth.by_room_member_token(codec.sign_member(claims))
    await world.member(room.room_id, "guest-1")
    assert (await world.core.auth.by_room_member_token(codec.sign_member(replace(base, member_id="guest-1")))).member
    with pytest.raises(InvalidToken):
        await world.core.auth.by_room_member_token(access)


async def test_anonymous_may_carry_a_user(world: World) -> None:
    auth = world.core.auth
    assert (await auth.anonymous()).user is None
    assert (await auth.anonymous("junk")).user is None
    access = (await auth.login("admin", PASSWORD)).access_token
    caller = await auth.anonymous(access)
    assert (caller.kind, caller.user) == ("anonymous", world.admin.user)
    with pytest.raises(Unauthorized):
        await auth.me(await auth.anonymous())
