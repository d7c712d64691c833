"""TURN credentials of the shared-secret scheme."""

from __future__ import annotations

from meet.media.gateway.turn import TurnConfig


def test_credentials() -> None:
    """The password is what `openssl dgst -sha1 -hmac north` makes of the user name."""
    turn = TurnConfig(("turn:relay.example:3478",), "north", ttl_s=1000, wall=lambda: 1_433_895_918.5 - 1000)
    server = turn.server("user")
    assert list(server.urls) == ["turn:relay.example:3478"]
    assert server.username == "1433895918:user"
    assert server.credential == "/gk4t5tUc08OpM3NjrVjHSFVNmY="
    assert "north" not in repr(turn)
