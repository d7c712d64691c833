"""A recording of single tracks is over when they are gone, or never come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest
from livekit.protocol import models
from livekit.protocol import rtc as pb

from meet.recorder.subscriber import selection
from meet.recorder.subscriber.selection import OfMedia, OfParticipant, OfTracks, Selection
from meet.recorder.subscriber.session import Ending, RoomSession, Sink
from meet.recorder.subscriber.signalling import Signalling

TRACK = models.TrackInfo(sid="TR_v", source=models.TrackSource.CAMERA)


class Server:
    """Says what it is told to; stands where `Signalling` does."""

    def __init__(self, chosen: Selection) -> None:
        self.selection = chosen
        self.said: asyncio.Queue[pb.SignalResponse] = asyncio.Queue()
        self.subscribed: list[str] = []

    async def messages(self) -> AsyncIterator[pb.SignalResponse]:
        while True:
            yield await self.said.get()

    def keep_alive(self, interval_s: float) -> None: ...

    async def subscribe(self, track_sids: list[str]) -> None:
        self.subscribed += track_sids


class Journal:
    """Takes everything and keeps nothing."""

    def __getattr__(self, name: str) -> Any:
        return lambda *_, **__: None


def ann(*tracks: models.TrackInfo) -> models.ParticipantInfo:
    return models.ParticipantInfo(sid="PA_1", identity="ann", tracks=tracks)


def session(server: Server) -> RoomSession:
    return RoomSession(cast(Signalling, server), cast(Sink, Journal()), tile=(640, 360))


async def test_a_room_of_which_only_the_sound_is_recorded_lasts_without_anybody() -> None:
    """Who comes later is heard as well."""
    microphone = models.TrackInfo(sid="TR_m", type=models.TrackType.AUDIO)
    camera = models.TrackInfo(sid="TR_c", type=models.TrackType.VIDEO)
    server = Server(OfMedia("audio"))
    server.said.put_nowait(pb.SignalResponse(join=pb.JoinResponse(other_participants=[ann(camera, microphone)])))
    stay = session(server)
    running = asyncio.create_task(stay.run())
    gone = models.ParticipantInfo(sid="PA_1", state=models.ParticipantInfo.State.DISCONNECTED)
    server.said.put_nowait(pb.SignalResponse(update=pb.ParticipantUpdate(participants=[gone])))
    later = models.TrackInfo(sid="TR_n", type=models.TrackType.AUDIO)
    server.said.put_nowait(pb.SignalResponse(update=pb.ParticipantUpdate(participants=[ann(later)])))
    async with asyncio.timeout(40):
        while "TR_n" not in server.subscribed:
            await asyncio.sleep(0.01)
    assert server.subscribed == ["TR_m", "TR_n"] and not running.done()
    stay.stop()
    assert await asyncio.wait_for(running, 40) is Ending.STOPPED


async def test_over_when_the_track_is_unpublished() -> None:
    server = Server(OfTracks("TR_v", ""))
    server.said.put_nowait(pb.SignalResponse(join=pb.JoinResponse(other_participants=[ann(TRACK)])))
    running = asyncio.create_task(session(server).run())
    server.said.put_nowait(pb.SignalResponse(update=pb.ParticipantUpdate(participants=[ann()])))
    assert await asyncio.wait_for(running, 40) is Ending.MEETING_OVER
    assert server.subscribed == ["TR_v"]


async def test_over_when_the_track_does_not_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selection, "_ABSENT_S", 0.05)
    server = Server(OfTracks("TR_v", ""))
    server.said.put_nowait(pb.SignalResponse(join=pb.JoinResponse(other_participants=[ann()])))
    assert await asyncio.wait_for(session(server).run(), 40) is Ending.MEETING_OVER


async def test_one_that_comes_in_time_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selection, "_ABSENT_S", 0.05)
    for server in (Server(OfTracks("TR_v", "")), Server(OfParticipant("bob"))):
        server.said.put_nowait(pb.SignalResponse(join=pb.JoinResponse(other_participants=[ann()])))
        server.said.put_nowait(pb.SignalResponse(update=pb.ParticipantUpdate(participants=[ann(TRACK)])))
        stay = session(server)
        running = asyncio.create_task(stay.run())
        await asyncio.sleep(0.2)
        assert not running.done()
        stay.stop()
        assert await asyncio.wait_for(running, 40) is Ending.STOPPED
