"""The table of the two spellings, and what is made of it."""

from __future__ import annotations

import pytest

from meet.core.model.permissions import (
    MODERATOR,
    NONE,
    PERMISSIONS,
    RETRIEVAL,
    SPEAKER,
    complete,
    covers,
    holds,
    overlay,
    union,
)
from meet.core.permission_names import NAMES, Spelling, contradictions, understood

NEW = [name for names in NAMES.values() for name in names]


def test_every_permission_has_a_coming_name_of_its_own() -> None:
    assert tuple(NAMES) == PERMISSIONS
    assert len(set(NEW)) == len(NEW) == 16
    assert not set(NEW) & set(PERMISSIONS)


def test_the_default_leaves_documents_alone() -> None:
    document = {"roles": {"speaker": {"permissions": overlay(SPEAKER, None)}}}
    assert Spelling().document(document) == document
    assert Spelling().for_media(document) is document


def test_parts_have_no_names_in_38() -> None:
    document = {"customPermissions": {"canRecord": True, "canRetrieveRecordings": False, "recordingPlay": True}}
    assert Spelling().document(document) == {"customPermissions": {"canRecord": True, "canRetrieveRecordings": False}}


def test_compatibility_writes_both_and_39_the_new_ones() -> None:
    document = {"rooms": [{"roles": {"speaker": {"permissions": overlay(SPEAKER, None)}}, "access": {"user": {}}}]}
    [both] = Spelling("compatibility").document(document)["rooms"]
    [new] = Spelling("3.9.0").document(document)["rooms"]
    assert set(both["roles"]["speaker"]["permissions"]) == {*PERMISSIONS, *NEW}
    assert both["roles"]["speaker"]["permissions"]["meetingEnd"] is False
    assert set(new["roles"]["speaker"]["permissions"]) == set(NEW)
    assert new["access"] == {"user": {}}


def test_clients_of_all_ages_read_tokens() -> None:
    document = {"permissions": overlay(MODERATOR, None)}
    assert set(Spelling("3.9.0").for_media(document)["permissions"]) == {*PERMISSIONS, *NEW}


def test_what_was_written_is_understood() -> None:
    held = overlay(SPEAKER, {"canRetrieveRecordings": False})
    for mode in ("compatibility", "3.9.0"):
        written = Spelling(mode).document({"permissions": held})["permissions"]
        assert contradictions(written) == []
        assert understood(written) == held


def test_a_part_stays_a_part() -> None:
    assert understood({"meetingEnd": False, "canRecord": True}) == {"canRecord": True, "canEndMeeting": False}
    assert Spelling("3.9.0").document({"customPermissions": {"canRecord": True}}) == {
        "customPermissions": {"recordingControl": True}
    }


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"recordingDownload": False}, {"recordingDownload": False}),
        ({"canRetrieveRecordings": True, "recordingPlay": True}, {"canRetrieveRecordings": True}),
        ({"recordingList": True, "recordingPlay": True, "recordingDownload": True}, {"canRetrieveRecordings": True}),
        (
            {"recordingList": True, "recordingPlay": True, "recordingDownload": False},
            {
                "canRetrieveRecordings": False,
                "recordingList": True,
                "recordingPlay": True,
                "recordingDownload": False,
            },
        ),
    ],
)
def test_parts_are_kept_where_they_differ(given: dict[str, bool], expected: dict[str, bool]) -> None:
    assert contradictions(given) == []
    assert understood(given) == expected
    written = Spelling("compatibility").document({"customPermissions": expected})["customPermissions"]
    assert understood(written) == expected


def test_who_may_play_need_not_be_able_to_save() -> None:
    watcher = overlay(SPEAKER, understood({"recordingDownload": False}))  # type: ignore[arg-type]
    assert [holds(watcher, part) for part in RETRIEVAL] == [True, True, False]
    assert watcher["canRetrieveRecordings"] is False
    assert overlay(watcher, {"canRetrieveRecordings": True}) == SPEAKER
    assert overlay(watcher, {"recordingDownload": True}) == SPEAKER
    assert overlay(watcher, {"canRecord": True})["recordingDownload"] is False
    assert union(watcher, overlay(NONE, {"recordingDownload": True})) == SPEAKER
    assert covers(SPEAKER, watcher)
    assert not covers(watcher, SPEAKER)
    assert complete(watcher) == watcher
    assert complete({**watcher, "recordingDownload": "no"}) is None


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"canRecord": True, "recordingControl": False}, "recordingControl"),
        ({"canRetrieveRecordings": False, "recordingPlay": True}, "recordingPlay"),
        (
            {
                "canRetrieveRecordings": True,
                "recordingList": True,
                "recordingPlay": True,
                "recordingDownload": False,
            },
            "recordingDownload",
        ),
    ],
)
def test_nothing_is_granted_or_taken_by_guessing(given: dict[str, bool], field: str) -> None:
    assert [name for name, _ in contradictions(given)] == [field]
