"""Rights of participants: what is kept, changed and forgotten."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from meet.core.errors import RoomNotFound
from meet.core.model.participant import ParticipantGrant
from meet.core.model.permissions import ALL, SPEAKER, overlay
from meet.db import Database

from .samples import room

SPEAKS = ParticipantGrant(permissions=overlay(SPEAKER, None), badge="other")
MODERATES = ParticipantGrant(permissions=overlay(ALL, None), badge="moderator")


async def test_promotions_are_for_others_and_happen_once(database: Database) -> None:
    repositories = database.repositories()
    await repositories.rooms.add(room("r"))
    grants = repositories.participants
    assert await grants.get("r", "sam") is None
    assert await grants.set_promoted("r", "sam", True) is None
    assert await grants.issue("r", "sam", SPEAKS, 1) == SPEAKS
    await grants.issue("r", "mo", replace(MODERATES, user_id="monica"), 1)
    assert await grants.of_user("monica") == [("r", "mo")]
    assert await grants.of_user("mo") == []
    assert await grants.set_promoted("r", "mo", True) is None
    results = await asyncio.gather(*(grants.set_promoted("r", "sam", True) for _ in range(5)))
    assert [each.promoted for each in results if each is not None] == [True]
    stored = await grants.get("r", "sam")
    assert stored == ParticipantGrant(permissions=SPEAKS.permissions, badge="other", promoted=True)


async def test_a_new_token_keeps_a_promotion_only_on_request(database: Database) -> None:
    repositories = database.repositories()
    await repositories.rooms.add(room("r"))
    grants = repositories.participants
    await grants.issue("r", "sam", SPEAKS, 1)
    await grants.set_promoted("r", "sam", True)
    assert (await grants.issue("r", "sam", SPEAKS, 2, keep_promotion=True)).promoted
    assert not (await grants.issue("r", "sam", SPEAKS, 3)).promoted
    await grants.set_promoted("r", "sam", True)
    assert await grants.issue("r", "sam", MODERATES, 4, keep_promotion=True) == MODERATES


async def test_the_end_of_a_meeting_and_of_a_room(database: Database) -> None:
    repositories = database.repositories()
    await repositories.rooms.add(room("r"))
    grants = repositories.participants
    await grants.issue("r", "old", SPEAKS, 1)
    await grants.issue("r", "young", SPEAKS, 2)
    await grants.set_promoted("r", "young", True)
    await grants.end_meeting("r", 2)
    assert (await grants.get("r", "old"), await grants.get("r", "young")) == (None, SPEAKS)
    await repositories.rooms.delete("r", even_active=True)
    assert await grants.get("r", "young") is None
    with pytest.raises(RoomNotFound):
        await grants.issue("r", "young", SPEAKS, 3)
