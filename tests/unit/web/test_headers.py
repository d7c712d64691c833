from __future__ import annotations

import pytest

from meet.web.headers import media_origins


@pytest.mark.parametrize(
    ("url", "origins"),
    [
        ("ws://localhost:7880", ("ws://localhost:7880", "http://localhost:7880")),
        ("wss://lk.example/sub/path", ("wss://lk.example", "https://lk.example")),
        ("https://lk.example", ("wss://lk.example", "https://lk.example")),
        ("ws://[::1]:7880", ("ws://[::1]:7880", "http://[::1]:7880")),
        ("ws://user:pass@lk.example:1", ("ws://lk.example:1", "http://lk.example:1")),
    ],
)
def test_media_origins(url: str, origins: tuple[str, str]) -> None:
    assert media_origins(url) == origins


@pytest.mark.parametrize("url", ["", "lk.example", "ftp://lk.example", "ws://"])
def test_media_origins_refuses_what_is_no_media_url(url: str) -> None:
    with pytest.raises(ValueError, match="ws://"):
        media_origins(url)
