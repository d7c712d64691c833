"""Recording one participant: which tracks are asked for."""

from __future__ import annotations

from typing import Any

import pytest
from livekit.protocol import models

from meet.recorder.subscriber.selection import Selection


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        ({}, None),
        ({"participant": "ann"}, None),
        ({"participant": {"identity": "ann"}}, Selection("ann")),
        ({"participant": {"identity": "ann", "screen_share": True}}, Selection("ann", screen_share=True)),
    ],
)
def test_what_the_request_says(request_: dict[str, Any], expected: Selection | None) -> None:
    assert Selection.from_request(request_) == expected


def test_camera_and_microphone_or_the_screen_with_its_sound() -> None:
    ann, bob = models.ParticipantInfo(identity="ann"), models.ParticipantInfo(identity="bob")
    source = models.TrackSource
    person = (source.CAMERA, source.MICROPHONE, source.UNKNOWN)
    screen = (source.SCREEN_SHARE, source.SCREEN_SHARE_AUDIO)
    for selection, wanted, others in (
        (Selection("ann"), person, screen),
        (Selection("ann", screen_share=True), screen, person),
    ):
        assert all(selection.wants(ann, models.TrackInfo(source=s)) for s in wanted)
        assert not any(selection.wants(ann, models.TrackInfo(source=s)) for s in others)
        assert not any(selection.wants(bob, models.TrackInfo(source=s)) for s in (*person, *screen))
        assert selection.is_about(ann)
        assert not selection.is_about(bob)
