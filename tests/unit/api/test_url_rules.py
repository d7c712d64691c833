"""What counts as a URL: the WHATWG parser's opinion on the cases that matter."""

from __future__ import annotations

import pytest

from meet.api.url_rules import is_url


@pytest.mark.parametrize(
    "text",
    [
        "http://a", "https://receiver.example/x?y=z#f", "http://user:pw@host:8080/", "http://[::1]:80/", "HTTP://A.B",
        "http://müller.example/", "ftp://host/x", "mailto:a@b", "localhost:5080", "http:host", "http://1.2.3.4",
        "http://host:/", "https://host\\path",
    ],
)  # fmt: skip
def test_urls(text: str) -> None:
    assert is_url(text)


@pytest.mark.parametrize(
    "text",
    ["", "receiver", "/path", "//host", "http://", "http:", "https:///", "http://a b", "http://host:99999", "http://:80",
     "http://host:x", "http://[::1", "http://<host>", "1http://host"],
)  # fmt: skip
def test_no_urls(text: str) -> None:
    assert not is_url(text)
