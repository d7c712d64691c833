"""When an edit comes too late, and what a version covers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from meet.core.edits import outdated, overtaken, status_overtaken, user_version, version_of
from meet.core.model.room import MeetingEndAction, RoomStatus
from meet.core.model.user import User
from meet.core.room_documents import default_access, merge_access
from tests.unit.db.samples import room

A, B, C = {"v": 1}, {"v": 2}, {"v": 3}


@pytest.mark.parametrize(
    ("changes", "before", "now", "expected"),
    [
        (B, A, A, False),
        (B, A, B, False),
        (B, A, C, True),
        ({}, A, C, False),
        ({"w": 1}, {"v": 1, "w": 0}, {"v": 2, "w": 0}, False),
        ({"x": B}, {"x": {"v": 1, "w": 1}}, {"x": {"v": 1, "w": 2}}, False),
        ({"x": B}, {"x": A}, {"x": C}, True),
        ({"x": "preset"}, {"x": {"video": 1}}, {"x": {"video": 2}}, True),
        (B, {}, C, True),
        ({"v": None}, {"v": None}, A, True),
    ],
)
def test_overtaken(changes: Any, before: Any, now: Any, expected: bool) -> None:
    assert overtaken(changes, before, now) is expected


@pytest.mark.parametrize(
    ("wanted", "before", "now", "expected"),
    [
        ("closed", ("open", "none"), ("open", "none"), False),
        ("closed", ("open", "none"), ("closed", "none"), False),
        ("open", ("open", "none"), ("closed", "none"), True),
        ("closed", ("open", "none"), ("active_meeting", "none"), False),
        ("open", ("active_meeting", "none"), ("closed", "none"), False),
        ("closed", ("active_meeting", "none"), ("active_meeting", "close"), False),
        ("open", ("active_meeting", "none"), ("active_meeting", "close"), True),
        ("closed", ("active_meeting", "none"), ("active_meeting", "delete"), True),
        ("closed", ("active_meeting", "delete"), ("active_meeting", "delete"), False),
    ],
)
def test_status_overtaken(
    wanted: RoomStatus,
    before: tuple[RoomStatus, MeetingEndAction],
    now: tuple[RoomStatus, MeetingEndAction],
    expected: bool,
) -> None:
    one, other = (replace(room("r"), status=status, meeting_end_action=action) for status, action in (before, now))
    assert status_overtaken(wanted, one, other) is expected


def test_equal_states_have_one_version() -> None:
    stored = room("r")
    assert version_of(stored) == version_of(replace(stored))
    assert version_of(stored) != version_of(replace(stored, owner="somebody"))
    assert not outdated(stored, None)
    assert not outdated(stored, frozenset({"x", version_of(stored)}))
    assert outdated(stored, frozenset())


def test_the_version_of_a_room_tells_nothing_about_its_secrets() -> None:
    stored, anew = room("r"), default_access()
    assert version_of(stored) == version_of(replace(stored, access={**stored.access, "anonymous": anew["anonymous"]}))
    shut = merge_access(stored.access, {"anonymous": {"moderator": {"enabled": False}}})
    assert version_of(stored) != version_of(replace(stored, access=shut))


def test_the_version_of_a_user_tells_nothing_about_the_password() -> None:
    user = User(user_id="u", name="U", role="admin", registration_date=1, role_updated_at=1, password_hash="a")
    assert user_version(user) == user_version(replace(user, password_hash="b"))
    assert user_version(user) != user_version(replace(user, role="room_member"))
