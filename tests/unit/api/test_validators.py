"""The rules behind `x-transform` and `x-validator`."""

from __future__ import annotations

import time
from typing import Any

import pytest

from meet.api import validators
from meet.http import Invalid, Issue

VIDEO: dict[str, Any] = {
    "width": 1280,
    "height": 720,
    "framerate": 30,
    "codec": "H264_MAIN",
    "bitrate": 3000,
    "keyFrameInterval": 4,
    "depth": 24,
}
AUDIO: dict[str, Any] = {"codec": "OPUS", "bitrate": 128, "frequency": 48000}


def encoding_issues(value: Any) -> list[tuple[str, str]]:
    return [(issue.field, issue.message) for issue in validators.encoding(value, [])]


@pytest.mark.parametrize(
    ("given", "used"),
    [("daily-1", "daily-1"), ("da ily!/1", "daily1"), ("Ünï_x", "n_x"), ("-", "-")],
)
def test_room_ids_lose_foreign_characters(given: str, used: str) -> None:
    assert validators.room_id(given) == used


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ("", "roomId is required and cannot be empty"),
        ("$ !", "roomId cannot be empty after sanitization"),
    ],
)
def test_room_ids_without_usable_characters_are_refused(given: str, text: str) -> None:
    with pytest.raises(Invalid, match=f"^{text}$"):
        validators.room_id(given)


def test_several_room_ids_are_sanitised_and_deduplicated() -> None:
    assert validators.room_ids(["a-1", "a-1!", "$", "b", "c" * 101]) == ["a-1", "b"]


def test_room_ids_need_one_that_survives() -> None:
    with pytest.raises(Invalid, match="At least one valid roomId is required after sanitization"):
        validators.room_ids(["$", "c" * 101])


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("room-1--EG_a--u", "room-1--EG_a--u"),
        ("  room-1--EG_a--u ", "room-1--EG_a--u"),
        ("room 1!--EG_a--u", "room1--EG_a--u"),
        ("!!--EG_a--u", "!!--EG_a--u"),
    ],
)
def test_recording_ids_are_trimmed_and_their_room_sanitised(given: str, used: str) -> None:
    assert validators.recording_id(given) == used


@pytest.mark.parametrize("given", ["a", "a--EG_--u", "a--b--c", "a--EG_x", "a--EG_x--u--v", "--EG_x--u", "a--EG_x--"])
def test_other_texts_are_no_recording_ids(given: str) -> None:
    with pytest.raises(Invalid, match="recordingId does not follow the expected format"):
        validators.recording_id(given)


def test_a_blank_recording_id_is_missing() -> None:
    with pytest.raises(Invalid, match="recordingId is required and cannot be empty"):
        validators.recording_id("  ")


def test_a_room_lives_for_an_hour_at_least() -> None:
    positive = Issue((), "autoDeletionDate must be a positive integer", "exclusiveMinimum")
    too_soon = "autoDeletionDate must be at least 1h in the future"
    assert [issue.message for issue in validators.auto_deletion_date(-5, [positive])] == [positive.message, too_soon]
    soon, later = time.time() * 1000 + 3_500_000, time.time() * 1000 + 3_700_000
    assert [issue.message for issue in validators.auto_deletion_date(soon, [])] == [too_soon]
    assert list(validators.auto_deletion_date(later, [])) == []
    no_number = Issue((), "Expected number, received string", "type")
    assert list(validators.auto_deletion_date("soon", [no_number])) == [no_number]


def test_automatic_deletion_cannot_fail() -> None:
    value = {"withMeeting": "fail", "withRecordings": "force"}
    issues = list(validators.auto_deletion_policy(value, []))
    assert [(issue.field, issue.message) for issue in issues] == [
        ("withMeeting", "FAIL policy is not allowed for withMeeting auto-deletion policy")
    ]


def test_rules_about_the_whole_policy_wait_for_its_parts() -> None:
    missing = Issue(("withRecordings",), "Required", "required")
    assert list(validators.auto_deletion_policy({"withMeeting": "fail"}, [missing])) == [missing]


@pytest.mark.parametrize("value", ["H264_720P_30", "PORTRAIT_H264_1080P_60", {"video": VIDEO, "audio": AUDIO}])
def test_presets_and_complete_options_are_encodings(value: Any) -> None:
    assert encoding_issues(value) == []


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (5, "Encoding must be either a preset string or an encoding configuration object"),
        (None, "Encoding must be either a preset string or an encoding configuration object"),
        (True, "Encoding must be either a preset string or an encoding configuration object"),
        ([], "Both video and audio configuration must be provided when using encoding options"),
        ({}, "Both video and audio configuration must be provided when using encoding options"),
        (
            {"video": VIDEO, "audio": None},
            "Both video and audio configuration must be provided when using encoding options",
        ),
        ({"video": "x", "audio": AUDIO}, "Video encoding must be a valid object"),
        ({"video": VIDEO, "audio": 1}, "Audio encoding must be a valid object"),
    ],
)
def test_what_is_no_encoding_at_all_is_one_issue(value: Any, message: str) -> None:
    assert encoding_issues(value) == [("", message)]


def test_an_unknown_preset_lists_the_known_ones() -> None:
    [(field, message)] = encoding_issues("H265")
    assert field == ""
    assert message.startswith("Invalid encoding preset. Must be one of: H264_720P_30, H264_720P_60, ")
    assert message.endswith("PORTRAIT_H264_1080P_60")


def test_missing_keys_are_reported_together_and_one_by_one() -> None:
    video = {key: value for key, value in VIDEO.items() if key not in ("width", "depth")}
    assert encoding_issues({"video": video, "audio": AUDIO}) == [
        ("video", "When video encoding is provided, required fields are missing: width, depth"),
        ("video.width", "Required"),
        ("video.depth", "Required"),
    ]


def test_values_of_options_are_checked() -> None:
    video = {**VIDEO, "framerate": 0, "bitrate": "3000", "codec": "AV1"}
    audio = {**AUDIO, "frequency": -1, "bitrate": True, "codec": 3}
    assert encoding_issues({"video": video, "audio": audio}) == [
        ("video.framerate", "Video framerate must be a positive number"),
        (
            "video.codec",
            "Invalid enum value. Expected 'DEFAULT_VC' | 'H264_BASELINE' | 'H264_MAIN' | 'H264_HIGH' | 'VP8', "
            "received 'AV1'",
        ),
        ("video.bitrate", "Expected number, received string"),
        ("audio.codec", "Expected 'DEFAULT_AC' | 'OPUS' | 'AAC' | 'AC_MP3', received number"),
        ("audio.bitrate", "Expected number, received boolean"),
        ("audio.frequency", "Audio frequency must be a positive number"),
    ]
