"""The deletion table of contract 2.2.3, row by row."""

from __future__ import annotations

import itertools

import pytest

from meet.core.model.room import WithMeeting, WithRecordings
from meet.core.room_deletion import decide

# meeting, recordings, withMeeting, withRecordings ("*" is any): code, status, room in the body
TABLE = [
    (False, False, "*", "*", "room_deleted", 200, False),
    (True, False, "force", "*", "room_with_active_meeting_deleted", 200, False),
    (True, False, "when_meeting_ends", "*", "room_with_active_meeting_scheduled_to_be_deleted", 202, True),
    (True, False, "fail", "*", "room_has_active_meeting", 409, False),
    (False, True, "*", "force", "room_and_recordings_deleted", 200, False),
    (False, True, "*", "close", "room_closed", 200, True),
    (False, True, "*", "fail", "room_has_recordings", 409, False),
    (True, True, "force", "force", "room_with_active_meeting_and_recordings_deleted", 200, False),
    (True, True, "force", "close", "room_with_active_meeting_closed", 200, True),
    (True, True, "force", "fail", "room_with_active_meeting_has_recordings", 409, False),
    (
        True,
        True,
        "when_meeting_ends",
        "force",
        "room_with_active_meeting_and_recordings_scheduled_to_be_deleted",
        202,
        True,
    ),
    (True, True, "when_meeting_ends", "close", "room_with_active_meeting_scheduled_to_be_closed", 202, True),
    (
        True,
        True,
        "when_meeting_ends",
        "fail",
        "room_with_active_meeting_has_recordings_cannot_schedule_deletion",
        409,
        False,
    ),
    (True, True, "fail", "*", "room_with_recordings_has_active_meeting", 409, False),
]
MEETING: tuple[WithMeeting, ...] = ("force", "when_meeting_ends", "fail")
RECORDINGS: tuple[WithRecordings, ...] = ("force", "close", "fail")


@pytest.mark.parametrize(
    ("meeting", "recordings", "with_meeting", "with_recordings"),
    list(itertools.product([False, True], [False, True], MEETING, RECORDINGS)),
)
def test_every_combination(
    meeting: bool, recordings: bool, with_meeting: WithMeeting, with_recordings: WithRecordings
) -> None:
    rows = [
        row
        for row in TABLE
        if row[:2] == (meeting, recordings) and row[2] in ("*", with_meeting) and row[3] in ("*", with_recordings)
    ]
    assert len(rows) == 1
    _, _, _, _, code, status, shows_room = rows[0]
    verdict = decide(meeting, recordings, with_meeting, with_recordings)
    got = 409 if verdict.action is None else 202 if verdict.deferred else 200
    assert (verdict.code, got, verdict.shows_room) == (code, status, shows_room)
    assert verdict.end_meeting == (status == 200 and meeting and with_meeting == "force")
    if verdict.action is not None:
        assert verdict.action == ("close" if recordings and with_recordings == "close" else "delete")
