"""The front reads out of a head what the worker will: two opinions would put one room into two processes."""

from __future__ import annotations

import pytest

from meet.media.front.head import Head, parse, room_of
from tests.unit.media.gateway.client import KEY, SECRET, token


@pytest.mark.parametrize(
    ("target", "headers", "taken"),
    [
        ("/rtc?access_token=A", "", "A"),
        ("/rtc?access_token=A&access_token=B", "", "A"),
        ("/rtc?access_token=&access_token=B", "Authorization: Bearer C\r\n", "C"),
        ("/rtc", "authorization: bearer  C \r\n", "C"),
        ("/rtc", "Authorization: Bearer C\r\nAuthorization: Bearer D\r\n", "C"),
        ("/rtc", "Authorization:\r\n Bearer C\r\n", "C"),
        ("/rtc", "Authorization: Basic C\r\n", ""),
        ("http://host/rtc?access_token=A", "", "A"),
    ],
)
def test_the_token_is_the_one_that_a_worker_takes(target: str, headers: str, taken: str) -> None:
    head = parse(f"GET {target} HTTP/1.1\r\nHost: h\r\n{headers}\r\n".encode())
    assert (head.signalling, head.token) == (True, taken)


@pytest.mark.parametrize(
    "junk", [b"\r\n\r\n", b"GET /rtc\r\n\r\n", b"\xff\x00 a b\r\n\r\n", b"GET //[ HTTP/1.1\r\n\r\n"]
)
def test_junk_is_not_signalling(junk: bytes) -> None:
    assert not parse(junk).signalling


def test_a_room_only_from_a_token_of_ours() -> None:
    keys = {KEY: SECRET}
    assert room_of(Head("/rtc", f"access_token={token('ann', 'a')}"), keys) == ("a", True)
    assert room_of(Head("/rtc", f"access_token={token('ann', 'a')}"), {KEY: "another" * 8}) == (None, False)
    assert room_of(Head("/rtc", "access_token=a.b.c"), keys) == (None, False)
