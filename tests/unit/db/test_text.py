"""Text filters (contract 2.0.5)."""

from __future__ import annotations

import pytest

from meet.core.errors import ValidationFailed
from meet.core.model.paging import MatchMode, PageRequest, RoomFilter, TextMatch
from meet.db import Database
from tests.unit.db.samples import room

NAMES = ("Alpha", "alpha two", "BETA%", "beta_x", "Straße", "Ärger", "a+b")


async def found(database: Database, wanted: TextMatch) -> set[str]:
    page = await database.repositories().rooms.page(RoomFilter(name=wanted), PageRequest("roomName", "asc", 100))
    return {each.room_name for each in page.items}


@pytest.mark.parametrize(
    ("value", "mode", "ignore_case", "expected"),
    [
        ("Alpha", "exact", False, {"Alpha"}),
        ("alpha", "exact", True, {"Alpha"}),
        ("alpha", "exact", False, set()),
        ("alpha", "prefix", True, {"Alpha", "alpha two"}),
        ("alpha", "prefix", False, {"alpha two"}),
        ("%", "partial", False, {"BETA%"}),
        ("_", "partial", False, {"beta_x"}),
        ("ä", "prefix", True, {"Ärger"}),
        ("STRASSE", "exact", True, {"Straße"}),
        ("a+b", "partial", False, {"a+b"}),
        ("^a.*a", "regex", False, {"alpha two"}),
        ("^a.*a", "regex", True, {"Alpha", "alpha two"}),
        ("^\\w{4}%$", "regex", False, {"BETA%"}),
        ("ßE", "regex", True, {"Straße"}),
        ("", "exact", False, set(NAMES)),
    ],
)
async def test_modes(database: Database, value: str, mode: MatchMode, ignore_case: bool, expected: set[str]) -> None:
    for name in NAMES:
        await database.repositories().rooms.add(room(name, room_name=name))
    assert await found(database, TextMatch(value, mode, ignore_case)) == expected


@pytest.mark.parametrize("pattern", ["(", "[a-", "*a", "(?P<x"])
async def test_invalid_patterns(database: Database, pattern: str) -> None:
    with pytest.raises(ValidationFailed) as caught:
        await found(database, TextMatch(pattern, "regex"))
    (issue,) = caught.value.issues
    assert (issue.field, issue.message) == ("roomName", "Invalid regular expression pattern")


async def test_explosive_pattern_is_cut_short_and_the_connection_lives_on(database: Database) -> None:
    await database.repositories().rooms.add(room("x", room_name="a" * 45 + "b"))
    with pytest.raises(ValidationFailed) as caught:
        await found(database, TextMatch("(a|aa)+$", "regex"))
    assert caught.value.issues[0].message == "Regular expression takes too long to evaluate"
    assert await found(database, TextMatch("b$", "regex")) == {"a" * 45 + "b"}
