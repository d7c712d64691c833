"""The picture follows the meeting: who is there without a camera is seen, and the layout changes while recording."""

from __future__ import annotations

import asyncio
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest
from livekit import api as livekit
from livekit import rtc

from meet.demo.api import Api
from meet.demo.robot import Robot
from meet.demo.server import Server
from tests.support import media


@pytest.mark.timeout(300)
async def test_the_layout_is_changed_while_recording(server: Server, api: Api, tmp_path: Path) -> None:
    room = await api.create_room("Layouts")
    url, ada = await api.join_token(room, "Ada")
    _, grace = await api.join_token(room, "Grace")
    _, quiet = await api.join_token(room, "Quiet", role="speaker")
    settings = server.settings
    listener = rtc.Room()
    async with Robot(url, ada), Robot(url, grace, hue=160):
        await listener.connect(url, quiet)
        recording = await api.start_recording(room["roomId"])
        egress_id = recording["recordingId"].split("--")[1]
        await asyncio.sleep(3)
        http = urlunsplit(urlsplit(url)._replace(scheme="http"))
        async with livekit.LiveKitAPI(http, settings.livekit_api_key, settings.livekit_api_secret) as client:
            change = livekit.UpdateLayoutRequest(egress_id=egress_id, layout="single-speaker")
            info = await client.egress.update_layout(change)
        assert info.room_composite.layout == "single-speaker"
        await asyncio.sleep(3)
        await api.stop_recording(recording["recordingId"])
        done = await api.wait_for(recording["recordingId"], "complete", "failed", "aborted")
        await listener.disconnect()
    assert done["status"] == "complete" and done["layout"] == "single-speaker", done
    path = tmp_path / "out.mp4"
    await api.download(recording["recordingId"], path, lambda _done, _total: None)
    decoded = media.decode(path)
    times = decoded.frame_times  # a busy machine leaves pictures out
    before = decoded.luma[(times >= 2.0) & (times < 2.7)]
    after = decoded.luma[(times > times[-1] - 1.3) & (times < times[-1] - 0.3)]
    placeholder = before[:, 46:89, 45:115]
    assert (placeholder > 150).any(), "the initial of who has no camera"
    assert abs(placeholder.astype(int)[1:] - placeholder[:-1]).max() < 12, "which does not move"
    assert (after[:, :, 0] > 25).mean() > 0.9, "one camera fills the picture"
    assert (before[:, 60:80, :30] < 25).all(), "beside the centred last row of the grid there is nothing"
