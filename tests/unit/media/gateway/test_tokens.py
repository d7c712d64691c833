"""Fresh tokens say what a participant is and may do now."""

from __future__ import annotations

import jwt

from meet.media.gateway.auth import join_grant
from meet.media.gateway.tokens import LIFE_S, ClientToken
from meet.media.room import Participant, Permission, TrackSource
from tests.unit.media.fakes import FakeLink

SECRET = "s" * 32
CLAIMS = {
    "iss": "key",
    "sub": "ann",
    "exp": 10_000,
    "video": {"room": "a", "roomJoin": True, "roomAdmin": True, "canPublish": True},
}


def renewed(member: Participant, at: float) -> dict[str, object]:
    token = ClientToken(CLAIMS, {"key": SECRET}, wall=lambda: at).renew(member)
    claims: dict[str, object] = jwt.decode(
        token, SECRET, algorithms=["HS256"], options={"verify_exp": False, "verify_nbf": False}
    )
    return claims


def test_rights_as_they_are_now_and_other_claims_as_they_were() -> None:
    permission = Permission(
        can_publish=True, can_publish_sources=frozenset({TrackSource.MICROPHONE}), can_update_metadata=True
    )
    member = Participant("ann", FakeLink(), name="Ann", metadata="m", attributes={"a": "b"}, permission=permission)
    claims = renewed(member, 1000)
    grant = join_grant(claims)
    assert (grant.identity, grant.room, grant.name, grant.metadata) == ("ann", "a", "Ann", "m")
    assert (grant.attributes, grant.permission) == ({"a": "b"}, permission)
    assert isinstance(claims["video"], dict)
    assert claims["video"]["roomAdmin"] is True


def test_it_lives_on_and_never_shorter_than_the_first() -> None:
    member = Participant("ann", FakeLink())
    assert renewed(member, 1000)["exp"] == 10_000
    assert renewed(member, 9900)["exp"] == 9900 + LIFE_S
    early = ClientToken(CLAIMS, {"key": SECRET}, wall=lambda: 1000)
    late = ClientToken(CLAIMS, {"key": SECRET}, wall=lambda: 9800)
    assert not early.runs_out
    assert late.runs_out
    late.renew(member)
    assert not late.runs_out
