"""Who may come to an operation, and what the door says to them (contract 1.4, Appendix F)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from .world import API_KEY, Scene

Kind = Literal["none", "key", "user", "member", "secret", "bad", "shut out"]


class Refusal(NamedTuple):
    """An answer of the door: status and message."""

    status: int
    message: str


UNAUTHORIZED = Refusal(401, "Unauthorized")
INSUFFICIENT = Refusal(403, "Insufficient permissions to access this resource")


def _nothing(_scene: Scene) -> dict[str, str]:
    return {}


@dataclass(frozen=True)
class Credential:
    """`letter` is Appendix F's: K key, R room member token, A/M/B roles of users, S recording secret. `text` is the
    message for one that is bad or shut out."""

    name: str
    kind: Kind
    letter: str = ""
    headers: Callable[[Scene], Mapping[str, str]] = field(default=_nothing)
    query: Callable[[Scene], Mapping[str, str]] = field(default=_nothing)
    text: str = ""

    def refused_at_the_door(self, accepts: str) -> Refusal | None:
        """What authentication says for an operation that `accepts` these letters; None lets the caller in."""
        takes_users = any(letter in accepts for letter in "AMB")
        if self.kind in ("bad", "shut out"):
            looked_at = takes_users if self.letter == "B" else self.letter in accepts
            return Refusal(403 if self.kind == "shut out" else 401, self.text) if looked_at else UNAUTHORIZED
        if self.kind == "none":
            return UNAUTHORIZED
        if self.letter in accepts:
            return None
        return INSUFFICIENT if self.kind == "user" and takes_users else UNAUTHORIZED


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _member(token: str) -> dict[str, str]:
    return {"X-Room-Member-Token": f"Bearer {token}"}


def _user(name: str) -> Callable[[Scene], dict[str, str]]:
    return lambda scene: _bearer(scene.world.user_token(name))


def _secret(which: Literal["public_secret", "private_secret"]) -> Callable[[Scene], dict[str, str]]:
    def query(scene: Scene) -> dict[str, str]:
        return {"recordingSecret": getattr(scene.recording, which) if scene.recording else "0123456789"}

    return query


FORGED = "eyJhbGciOiJIUzI1NiJ9.e30.AAAA"
CHANGE = "Password change required. Please change your password before accessing other resources."

MIXED = "private secret and a login"

CREDENTIALS = [
    Credential("nobody", "none"),
    Credential("API key", "key", "K", lambda _: {"X-API-KEY": API_KEY}),
    Credential("wrong API key", "bad", "K", lambda _: {"X-API-KEY": "ovmeet-wrong"}, text="Invalid API key"),
    Credential("admin", "user", "A", _user("admin")),
    Credential("admin by query", "user", "A", query=lambda scene: {"accessToken": scene.world.user_token("admin")}),
    Credential("manager", "user", "M", _user("manager")),
    Credential("member", "user", "B", _user("member")),
    Credential("forged access token", "bad", "B", lambda _: _bearer(FORGED), text="Invalid token"),
    Credential("deleted user", "shut out", "B", _user("nobody_any_more"), text="Invalid token subject"),
    Credential("user who must change the password", "shut out", "B", _user("newcomer"), text=CHANGE),
    Credential("moderator", "member", "R", lambda scene: _member(scene.moderator())),
    Credential("moderator by query", "member", "R", query=lambda scene: {"roomMemberToken": scene.moderator()}),
    Credential("speaker", "member", "R", lambda scene: _member(scene.speaker())),
    Credential("powerless", "member", "R", lambda scene: _member(scene.powerless())),
    Credential("moderator elsewhere", "member", "R", lambda scene: _member(scene.elsewhere())),
    Credential("forged member token", "bad", "R", lambda _: _member(FORGED), text="Invalid token"),
    Credential("public secret", "secret", "S", query=_secret("public_secret")),
    Credential("private secret", "secret", "S", query=_secret("private_secret")),
    Credential(MIXED, "secret", "S", headers=_user("member"), query=_secret("private_secret")),
    Credential("unknown secret", "secret", "S", query=lambda _: {"recordingSecret": "ffffffffff"}),
]
