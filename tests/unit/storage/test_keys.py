from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.errors import InvalidKey
from storage.keys import recording_key, validate


def test_recording_key_has_the_contract_layout() -> None:
    key = recording_key("openvidu-meet", "room-1", "room-1--abc.mp4")
    assert key == "openvidu-meet/recordings/room-1/room-1--abc.mp4"


def test_empty_and_nested_subbuckets() -> None:
    assert recording_key("", "r", "f.mp4") == "recordings/r/f.mp4"
    assert recording_key("/a/b/", "r", "f.mp4") == "a/b/recordings/r/f.mp4"


@pytest.mark.parametrize(
    ("room", "name"), [("..", "f.mp4"), ("a/b", "f.mp4"), ("r", "../f"), ("r", ""), ("", "f"), ("r", "a\x00b")]
)
def test_parts_cannot_leave_their_place(room: str, name: str) -> None:
    with pytest.raises(InvalidKey):
        recording_key("sub", room, name)


@pytest.mark.parametrize(
    "key",
    [
        "",
        "/",
        "/etc/passwd",
        "a//b",
        "a/./b",
        "a/../b",
        "..",
        "a/",
        "a\\b",
        ".incoming/x",
        "a\nb",
        "\ud800",
        "x" * 256,
        "/".join(["x" * 200] * 6),
    ],
)
def test_dangerous_keys_are_refused(key: str) -> None:
    with pytest.raises(InvalidKey):
        validate(key)


@given(st.text(alphabet=st.sampled_from("ab./\\-\x00é"), max_size=12))
def test_accepted_keys_stay_below_any_root(key: str) -> None:
    try:
        validate(key)
    except InvalidKey:
        return
    parts = key.split("/")
    assert ".." not in parts
    assert "." not in parts
    assert "" not in parts
