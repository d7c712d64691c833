"""The backend's composition: where clients are told to find the media server."""

from __future__ import annotations

from typing import Any

import pytest

from meet.app import media_url
from meet.config import Settings


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({}, "wss://meet.test:7880"),
        ({"livekit_public_url": "wss://meet.test/"}, "wss://meet.test"),
        ({"livekit_public_url": "wss://media.test:8443/a"}, "wss://media.test:8443/a"),
        ({"livekit_url": "wss://livekit.test"}, "wss://livekit.test"),
    ],
)
def test_where_clients_find_the_media_server(settings: dict[str, Any], told: str) -> None:
    assert media_url(Settings.load(**settings))("https://meet.test/meet") == told
    assert Settings.load(**settings).livekit_embedded is ("livekit_url" not in settings)


def test_each_client_comes_back_to_the_host_it_used() -> None:
    told = media_url(Settings.load(livekit_port=7000))
    assert told("http://[::1]:6080/meet") == "ws://[::1]:7000"
    assert told("http://192.0.2.1:6080") == "ws://192.0.2.1:7000"
