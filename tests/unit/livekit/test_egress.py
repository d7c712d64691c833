"""Encodings on their way through the protocol."""

from __future__ import annotations

import pytest
from livekit.protocol import egress as api

from meet.core.model.encoding import EncodingOptions
from meet.livekit.egress import composite_request, to_egress
from meet.media.twirp.egress_info import encoding


@pytest.mark.parametrize(
    ("given", "kept"), [(1e-9, 1), (0.4, 1), (0.5, 1), (29.97, 30), (640.4, 640), (1e300, 2**31 - 1)]
)
def test_positive_numbers_are_never_taken_for_defaults(given: float, kept: int) -> None:
    options: EncodingOptions = {
        "video": {
            "width": 640,
            "height": 360,
            "framerate": given,
            "codec": "H264_MAIN",
            "bitrate": given,
            "keyFrameInterval": 0.4,
            "depth": given,
        },
        "audio": {"codec": "AAC", "bitrate": given, "frequency": given},
    }
    request = composite_request("daily", "grid", options, "a/b.mp4")
    told = to_egress(api.EgressInfo(egress_id="EG_1", room_composite=request)).encoding
    recorded = encoding(request)
    for known in (told, recorded):
        assert isinstance(known, dict)
        video, audio = known["video"], known["audio"]
        numbers = video["framerate"], video["bitrate"], video["depth"], audio["bitrate"], audio["frequency"]
        assert numbers == (kept,) * 5 and (video["width"], video["keyFrameInterval"]) == (640, 0.4)
