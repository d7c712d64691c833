"""Formats of contract 3.2 and 4.1."""

from __future__ import annotations

import re

import pytest

from meet.core import ids


@pytest.mark.parametrize(
    ("name", "prefix"),
    [
        ("Møde Åse", "mde_ase"),
        ("SALA--Médica  #2024  (Niños)", "sala_medica_2024_ninos"),
        ("日本語", "room"),
        ("__a__b__", "a_b"),
        ("-", "room"),
    ],
)
def test_room_prefix(name: str, prefix: str) -> None:
    assert re.fullmatch(rf"{prefix}-[0-9a-f]{{15}}", ids.new_room_id(name))


def test_anonymous_identity_falls_back_to_participant() -> None:
    assert re.fullmatch(r"participant-[0-9a-f]{15}", ids.new_identity("日本語"))
    assert re.fullmatch(r"bob_1-[0-9a-f]{15}", ids.new_identity("Bob 1"))


def test_secrets_and_keys() -> None:
    assert re.fullmatch(r"[0-9a-f]{10}", ids.new_secret())
    assert re.fullmatch(r"ovmeet-.{32}", ids.new_api_key())
    assert ids.new_secret() != ids.new_secret()


def test_key_and_uid_round_trip() -> None:
    key = ids.recording_key("openvidu-meet", "room-1", "0123456789")
    assert key == "openvidu-meet/recordings/room-1/room-1--0123456789.mp4"
    assert ids.uid_of_key("room-1", key) == "0123456789"
    assert ids.uid_of_key("room-1", key.removesuffix(".mp4")) == "0123456789"
    for prefix in ("", "another", "a/b"):
        assert ids.uid_of_key("room-1", ids.recording_key(prefix, "room-1", "0123456789")) == "0123456789"


@pytest.mark.parametrize(
    "key",
    [
        "",
        "a/b.mp4",
        "a/recordings/room-2/room-2--0123456789.mp4",
        "a/recordings/room-1/room-1--012345678.mp4",
        "a-recordings/room-1/room-1--0123456789.mp4",
    ],
)
def test_keys_laid_out_differently_have_no_uid(key: str) -> None:
    assert ids.uid_of_key("room-1", key) is None


@pytest.mark.parametrize("text", ["", "a--b", "a--EG_--c", "a--XX_1--c", "--EG_1--c", "a--EG_1--", "a--EG_1--c--d"])
def test_malformed_recording_ids(text: str) -> None:
    assert ids.split_recording_id(text) is None


def test_recording_id_parts() -> None:
    parts = ids.split_recording_id("room-1--EG_x--0123456789")
    assert parts == ids.RecordingIdParts("room-1", "EG_x", "0123456789")
