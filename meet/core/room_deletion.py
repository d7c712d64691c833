"""The decision table of room deletion (contract 2.2.3), as a pure function."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .model.room import WithMeeting, WithRecordings


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do. `text` follows `Room '<id>'` in the message.

    `action`: what happens to the room, at once without a meeting, else when the meeting ends; None is a refusal (409).
    `end_meeting`: delete the media room now. `deferred`: answer 202. `shows_room`: the answer carries the room."""

    code: str
    text: str
    action: Literal["delete", "close"] | None
    end_meeting: bool = False
    deferred: bool = False
    shows_room: bool = False


def decide(meeting: bool, recordings: bool, with_meeting: WithMeeting, with_recordings: WithRecordings) -> Verdict:
    """The row of the table; the meeting policy is looked at before the recordings policy."""
    if not meeting:
        return _idle_room(recordings, with_recordings)
    if with_meeting == "fail":
        if recordings:
            return _refuse(
                "room_with_recordings_has_active_meeting",
                " with recordings cannot be deleted because it has an active meeting.",
            )
        return _refuse("room_has_active_meeting", " cannot be deleted because it has an active meeting.")
    if with_meeting == "force":
        return _ending_now(recordings, with_recordings)
    return _ending_later(recordings, with_recordings)


def _refuse(code: str, text: str) -> Verdict:
    return Verdict(code, text, None)


def _idle_room(recordings: bool, policy: WithRecordings) -> Verdict:
    if not recordings:
        return Verdict("room_deleted", " deleted successfully", "delete")
    if policy == "force":
        return Verdict("room_and_recordings_deleted", " and its recordings deleted successfully", "delete")
    if policy == "close":
        text = " has been closed instead of deleted because it has recordings"
        return Verdict("room_closed", text, "close", shows_room=True)
    return _refuse("room_has_recordings", " cannot be deleted because it has recordings.")


def _ending_now(recordings: bool, policy: WithRecordings) -> Verdict:
    if not recordings:
        text = " with active meeting deleted successfully"
        return Verdict("room_with_active_meeting_deleted", text, "delete", end_meeting=True)
    if policy == "force":
        text = " with active meeting and its recordings deleted successfully"
        return Verdict("room_with_active_meeting_and_recordings_deleted", text, "delete", end_meeting=True)
    if policy == "close":
        text = " with active meeting has been closed instead of deleted because it has recordings"
        return Verdict("room_with_active_meeting_closed", text, "close", end_meeting=True, shows_room=True)
    return _refuse(
        "room_with_active_meeting_has_recordings",
        " with active meeting cannot be deleted because it has recordings.",
    )


def _ending_later(recordings: bool, policy: WithRecordings) -> Verdict:
    if not recordings:
        code = "room_with_active_meeting_scheduled_to_be_deleted"
        text = " with active meeting scheduled to be deleted when the meeting ends"
        return Verdict(code, text, "delete", deferred=True, shows_room=True)
    if policy == "force":
        code = "room_with_active_meeting_and_recordings_scheduled_to_be_deleted"
        text = " with active meeting and its recordings scheduled to be deleted when the meeting ends"
        return Verdict(code, text, "delete", deferred=True, shows_room=True)
    if policy == "close":
        code = "room_with_active_meeting_scheduled_to_be_closed"
        text = " with active meeting scheduled to be closed when the meeting ends because it has recordings"
        return Verdict(code, text, "close", deferred=True, shows_room=True)
    return _refuse(
        "room_with_active_meeting_has_recordings_cannot_schedule_deletion",
        " with active meeting cannot be scheduled to be deleted because it has recordings.",
    )
