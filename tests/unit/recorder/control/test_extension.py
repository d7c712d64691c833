"""What the media process gets: livekit-api in, recorder behind, signed webhooks out, all over real sockets."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path

from aiohttp import web
from aiohttp.test_utils import TestServer
from livekit.protocol.webhook import WebhookEvent

from meet.livekit import LiveKitMediaServer
from meet.media.room import RoomRegistry
from meet.recorder.control.extension import Webhooks, media_extension
from tests.unit.media.hooks.receiver import KEY, SECRET, Receiver
from tests.unit.media.twirp.fakes import join
from tests.unit.recorder.control.world import FakeRecorder, FakeSupervisor, World


async def test_a_recording_through_every_wire(data: Path) -> None:
    async with AsyncExitStack() as stack:
        supervisor = FakeSupervisor(data / "run" / "supervisor.sock")
        await supervisor.open()
        stack.push_async_callback(supervisor.close)
        receiver = await stack.enter_async_context(Receiver(lambda _event, attempt: 503 if attempt == 1 else 200))
        registry = RoomRegistry()
        extension = await media_extension(data, Webhooks(receiver.url, {KEY: SECRET}))(registry)
        stack.push_async_callback(extension.close)
        app = web.Application()
        app.add_routes(extension.routes)
        server = TestServer(app)
        await server.start_server()
        stack.push_async_callback(server.close)
        media = LiveKitMediaServer(f"ws://127.0.0.1:{server.port}", KEY, SECRET)
        stack.push_async_callback(media.close)

        await media.create_room("a", metadata="", empty_timeout_s=20, departure_timeout_s=20)
        link = join(registry.require("a"), "ann")
        started = await media.start_room_composite("a", layout="grid", encoding="H264_720P_30", key="p/a--x.mp4")
        assert supervisor.started == [started.egress_id]
        world = World(data)  # only for the recorder's paths; the extension brings its own controller
        recorder = await FakeRecorder(world, started.egress_id).connect()
        stack.push_async_callback(recorder.close)
        recorder.report("active", save=True)
        events = await receiver.wait_for(4)
        assert link.recording == [True]
        assert (await media.stop_egress(started.egress_id)).status == "ending"
        assert await recorder.hear() == {"type": "stop", "reason": "stop_requested"}
        recorder.report("complete", save=True, size=77, duration_s=2.5)
        await receiver.wait_for(6)
        assert b'meet_recordings_finished_total{outcome="complete"} 1.0' in await extension.metrics()
        (done,) = await media.list_egress(room="a")
        assert (done.status, done.size, done.duration_s) == ("complete", 77, 2.5)
        await media.delete_room("a")
        await receiver.wait_for(8)
        assert [event.event for event in events] == [
            "room_started",
            "participant_joined",
            "egress_started",
            "egress_updated",
            "egress_updated",
            "egress_ended",
            "participant_left",
            "room_finished",
        ]
        assert _sizes(events) == [0, 0, 0, 77]
        assert link.recording == [True, False]


def _sizes(events: list[WebhookEvent]) -> list[int]:
    return [event.egress_info.file_results[0].size for event in events if event.event.startswith("egress")]
