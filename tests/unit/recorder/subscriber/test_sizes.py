"""What the picture shows is asked for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import cast

import pytest

from meet.recorder.subscriber.depacketize import EncodedFrame
from meet.recorder.subscriber.session import RoomSession, Sink, Subscribed
from meet.recorder.subscriber.signalling import Signalling
from meet.recorder.subscriber.stream import RtpStream


class Asked:
    """Notes what it is asked for; stands where `Signalling` does."""

    def __init__(self) -> None:
        self.sizes: list[tuple[str, int, int]] = []

    async def want_size(self, sid: str, width: int, height: int) -> None:
        self.sizes.append((sid, width, height))


@pytest.fixture
async def meeting() -> AsyncIterator[tuple[RoomSession, Asked, RtpStream]]:
    """A session that receives one camera, whose key frame has come."""
    asked = Asked()
    session = RoomSession(cast(Signalling, asked), cast(Sink, None), tile=(640, 360))
    stream = RtpStream(1, "video", "VP8", 90_000, lambda *_: None)
    stream.wants_key = False
    session._tracks["TR_1"] = Subscribed(1, "TR_1", stream, False)
    yield session, asked, stream
    await session._transport.close()


async def test_who_comes_back_into_the_picture_is_asked_for_a_key_frame(
    meeting: tuple[RoomSession, Asked, RtpStream],
) -> None:
    """Also where the same layer does for a tile that small, and a stream has no layers."""
    session, asked, stream = meeting
    for size in ((640, 360), (0, 0)):
        session.want_sizes({"TR_1": size})
        assert not stream.wants_key
    session.want_sizes({"TR_1": (320, 180)})
    assert stream.wants_key
    stream.wants_key = False
    session.want_sizes({"TR_1": (1280, 720), "TR_unknown": (1280, 720)})
    session.want_sizes({"TR_1": (1280, 720)})
    assert not stream.wants_key, "it was there all the time"
    await asyncio.sleep(0)
    assert [size for _, *size in asked.sizes] == [[640, 360], [320, 180], [320, 180], [1280, 720]]


async def test_who_is_hidden_for_long_is_asked_for_a_key_frame_now_and_then(
    meeting: tuple[RoomSession, Asked, RtpStream],
) -> None:
    """However late the composer is: what it shows next has been decodable from not long before."""
    session, _, stream = meeting
    track = session._tracks["TR_1"]

    def receive(kilobytes: int, *, key: bool = False) -> bool:
        """Whether it is asked for one now."""
        stream.wants_key = False
        for _ in range(kilobytes):
            track.received(EncodedFrame(b"x" * 1024, key))
        return stream.wants_key

    assert not receive(2000), "it is seen"
    receive(1, key=True)
    session.want_sizes({"TR_1": (0, 0)})
    assert not receive(500)
    assert receive(20)
    assert not receive(400) and not receive(1, key=True) and not receive(500) and receive(20)
    session.want_sizes({"TR_1": (640, 360)})
    assert not receive(2000)
    await asyncio.sleep(0)
