"""Networks that fight: no UDP, IPv6 only, heavy loss, a client that vanishes."""

from __future__ import annotations

import random
import time
from collections.abc import AsyncIterator
from statistics import median
from typing import Any

import numpy as np
import pytest
from livekit import rtc

from meet.demo.robot import Robot as Publisher
from meet.media.gateway import pulse
from meet.media.main import MediaConfig, MediaServer
from meet.media.transport.addresses import local_ipv6
from tests.e2e.media.conftest import KEY, SECRET, Enter, access_token
from tests.e2e.media.sdk import Robot, until


class Marks:
    """When the flashes and beeps of the demo's robot are seen and heard. Times are monotonic seconds."""

    def __init__(self, robot: Robot) -> None:
        self.frames = 0
        self.flashes: list[float] = []
        self.beeps: list[float] = []
        self._robot = robot
        robot.room.on("track_subscribed", self._subscribed)

    def _subscribed(self, track: Any, *_: Any) -> None:
        video = track.kind == rtc.TrackKind.KIND_VIDEO
        self._robot.start(self._watch(rtc.VideoStream(track)) if video else self._listen(rtc.AudioStream(track)))

    async def stay_together(self, count: int, *, frames: int) -> None:
        """Wait for so many pictures, and beeps whose flash was within 80 ms (median); we may be late ourselves."""
        first, enough = len(self.beeps), self.frames + frames

        def together() -> bool:
            heard = self.beeps[first:-1][-count:]  # the flash of the last one may be yet to come
            offsets = [min((f - b for f in self.flashes), key=abs) for b in heard] if self.flashes else []
            return self.frames >= enough and len(offsets) == count and abs(median(offsets)) <= 0.08

        await until(together)

    async def _watch(self, stream: Any) -> None:
        white = False
        async for event in stream:
            self.frames += 1
            luma = np.frombuffer(event.frame.data, np.uint8)[: event.frame.width * event.frame.height : 64]
            was, white = white, bool(luma.mean() > 200)
            if white and not was:
                self.flashes.append(time.monotonic())

    async def _listen(self, stream: Any) -> None:
        loud = False
        async for event in stream:
            was, loud = loud, bool(np.abs(np.frombuffer(event.frame.data, np.int16)).max() > 6000)
            if loud and not was:
                self.beeps.append(time.monotonic())


@pytest.fixture
def config() -> MediaConfig:
    return MediaConfig(keys={KEY: SECRET}, port=0, rtc_port=0)


@pytest.fixture
async def media(config: MediaConfig) -> AsyncIterator[MediaServer]:
    server = MediaServer(config)
    await server.start()
    yield server
    await server.stop()


@pytest.mark.parametrize("single_pc", [True, False], ids=["v1", "v0"])
async def test_media_goes_over_tcp_where_udp_is_blocked(enter: Enter, media: MediaServer, single_pc: bool) -> None:
    media.mux.drop = lambda _outgoing, _data: True
    alice, bob = await enter("alice", single_pc=single_pc), await enter("bob", single_pc=single_pc)
    await alice.publish_video()
    await alice.publish_audio()
    await until(lambda: bob.frames.get("alice", 0) > 20 and bob.loud.get("alice", 0) > 20)
    assert media.mux.tcp_connections >= 2


class TestIpv6:
    @pytest.fixture
    def config(self) -> MediaConfig:
        addresses = [a for a in local_ipv6() if a != "::1"]
        if not addresses:
            pytest.skip("this machine has no IPv6 address but loopback")
        return MediaConfig(keys={KEY: SECRET}, port=0, rtc_host=addresses[0], rtc_port=0, rtc_tcp=False)

    async def test_media_over_ipv6(self, enter: Enter, media: MediaServer) -> None:
        assert all(":" in c.host for c in media.mux.candidates)
        alice, bob = await enter("alice"), await enter("bob", single_pc=False)
        await alice.publish_video()
        await until(lambda: bob.frames.get("alice", 0) > 20)


async def test_random_loss_both_ways(enter: Enter, media: MediaServer) -> None:
    """With 3 %, then 10 % lost, picture and sound go on, and flash and beep of every second stay together."""
    dice = random.Random(7)
    bob = await enter("bob")
    marks = Marks(bob)
    async with Publisher(f"ws://127.0.0.1:{media.port}", access_token("alice")):
        for share in (0.03, 0.10):
            media.mux.drop = lambda _outgoing, data, share=share: 128 <= data[0] < 192 and dice.random() < share
            await marks.stay_together(4, frames=40)  # of 120 sent in four seconds


async def test_a_client_that_vanishes_is_noticed_by_its_consent(
    enter: Enter, media: MediaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Signalling may live on while the media path is dead; then the client is told to come back afresh."""
    monkeypatch.setattr(pulse, "CONSENT_S", 2.0)
    alice = await enter("alice")
    await alice.publish_audio()
    first = media.registry.require("room").participants["alice"].sid
    media.mux.drop = lambda _outgoing, _data: True
    people = media.registry.require("room").participants
    # She may be back between two looks.
    await until(lambda: "alice" not in people or people["alice"].sid != first)
    media.mux.drop = None
    await until(lambda: "alice" in people and people["alice"].sid != first)
