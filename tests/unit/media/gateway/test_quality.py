"""Connection quality: how it is rated, and that everybody is told once."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import aiohttp
import pytest

from meet.media.gateway.quality import EXCELLENT, GOOD, LOST, POOR, ConnectionQuality, rate
from meet.media.gateway.session import Session
from meet.media.main import MediaServer
from tests.unit.media.gateway.client import Client, token


def session(*, up: float = 0.0, down: float = 0.0, age: float = 1.0, **fields: Any) -> Session:
    made: dict[str, Any] = {"paused": set(), "held_back": False, "detached_at": None, **fields}
    return cast(
        Session,
        SimpleNamespace(
            detached_at=made["detached_at"],
            peers=[SimpleNamespace(connected=True, ice=SimpleNamespace(consent_age=lambda: age))],
            publisher=SimpleNamespace(
                tracks=[SimpleNamespace(layers={"": SimpleNamespace(fraction_lost=up)})],
            ),
            subscriber=SimpleNamespace(
                items={"TR": SimpleNamespace(down=SimpleNamespace(fraction_lost=down))},
                paused_sids=made["paused"],
                held_back=made["held_back"],
            ),
        ),
    )


@pytest.mark.parametrize(
    ("fields", "quality"),
    [
        ({}, EXCELLENT),
        ({"up": 0.03}, GOOD),
        ({"down": 0.03}, GOOD),
        ({"held_back": True}, GOOD),
        ({"up": 0.12}, POOR),
        ({"paused": {"TR"}}, POOR),
        ({"age": 9.0}, LOST),
        ({"detached_at": 1.0}, LOST),
    ],
)
def test_ratings(fields: dict[str, Any], quality: int) -> None:
    assert rate(session(**fields)) == quality


async def test_changes_are_told_once_and_newcomers_get_everything(
    server: MediaServer, http: aiohttp.ClientSession
) -> None:
    quality = ConnectionQuality()
    clients = {}
    for name in ("alice", "bob"):
        clients[name] = await Client(http, server).v0(token(name))
        clients[name].sid = (await clients[name].expect("join")).participant.sid
    for member in server.gateway.pulse.sessions:
        member.room.activated(member.participant)
    quality.tick(server.gateway.pulse.sessions)
    quality.tick(server.gateway.pulse.sessions)
    for client in clients.values():
        told = (await client.expect("connection_quality")).updates
        assert {(u.participant_sid, u.quality) for u in told} == {(c.sid, EXCELLENT) for c in clients.values()}
    lost = next(s for s in server.gateway.pulse.sessions if s.participant.identity == "alice")
    lost.detached_at = 0.0
    quality.tick(server.gateway.pulse.sessions)
    (update,) = (await clients["bob"].expect("connection_quality")).updates
    assert (update.participant_sid, update.quality) == (clients["alice"].sid, LOST)
