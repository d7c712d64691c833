"""What a room does for and to its members, seen by the official Python SDK and driven with livekit-api."""

from __future__ import annotations

import asyncio
import os
from typing import Any

import jwt
from livekit import rtc

from meet.media.main import MediaServer
from meet.media.room import Permission
from tests.e2e.media.conftest import SECRET, Enter
from tests.e2e.media.sdk import Robot, until


def events(robot: Robot, name: Any) -> list[tuple[Any, ...]]:
    """Everything an event of the SDK's room was emitted with from now on."""
    seen: list[tuple[Any, ...]] = []
    robot.room.on(name, lambda *arguments: seen.append(arguments))
    return seen


async def test_only_the_one_who_sounds_is_a_speaker(enter: Enter) -> None:
    robots = [await enter(name) for name in ("alice", "bob", "carol")]
    for robot in robots:
        await robot.publish_audio(amplitude=12000 if robot.identity == "bob" else 0)
    await until(lambda: all("bob" in r.speakers for r in robots))
    await asyncio.sleep(1.5)
    assert [r.speakers for r in robots] == [{"bob"}] * 3
    await until(lambda: [p.identity for p in robots[0].active] == ["bob"])
    robots[1].amplitude = 0
    await until(lambda: all(not r.active for r in robots))


async def test_rpc_and_streams(enter: Enter) -> None:
    """RPC with a payload near its limit, a long text, and a megabyte of bytes, all over data packets."""
    alice, bob = await enter("alice"), await enter("bob", single_pc=False)
    received: dict[str, Any] = {}

    async def reverse(call: rtc.RpcInvocationData) -> str:
        return call.payload[::-1]

    bob.room.local_participant.register_rpc_method("reverse", reverse)

    def on_text(reader: rtc.TextStreamReader, _identity: str) -> None:
        bob.start(_keep(received, "text", reader.read_all()))

    def on_bytes(reader: rtc.ByteStreamReader, _identity: str) -> None:
        async def whole() -> bytes:
            return b"".join([chunk async for chunk in reader])

        bob.start(_keep(received, "bytes", whole()))

    bob.room.register_text_stream_handler("text", on_text)
    bob.room.register_byte_stream_handler("bytes", on_bytes)
    await until(lambda: "bob" in alice.room.remote_participants)
    me = alice.room.local_participant
    payload = "abc" * 4000
    assert await me.perform_rpc(destination_identity="bob", method="reverse", payload=payload) == payload[::-1]
    text, data = "grüße " * 20_000, os.urandom(1_000_000)
    await me.send_text(text, topic="text")
    writer = await me.stream_bytes("file", total_size=len(data), topic="bytes")
    await writer.write(data)
    await writer.aclose()
    await until(lambda: len(received) == 2)
    assert received == {"text": text, "bytes": data}


async def _keep(into: dict[str, Any], name: str, work: Any) -> None:
    into[name] = await work


async def test_a_publisher_chooses_its_subscribers(enter: Enter) -> None:
    alice, bob = await enter("alice"), await enter("bob")
    alice.room.local_participant.set_track_subscription_permissions(
        allow_all_participants=False, participant_permissions=[]
    )
    await alice.publish_audio()
    await until(lambda: bob.room.remote_participants["alice"].track_publications)
    await asyncio.sleep(1)
    assert "alice" not in bob.loud
    grant = rtc.ParticipantTrackPermission(participant_identity="bob", allow_all=True)
    alice.room.local_participant.set_track_subscription_permissions(
        allow_all_participants=False, participant_permissions=[grant]
    )
    await until(lambda: bob.loud.get("alice", 0) > 10)


async def test_a_changed_permission_arrives_with_a_token_that_has_it(enter: Enter, media: MediaServer) -> None:
    alice = await enter("alice")
    refreshed, permissions = events(alice, "token_refreshed"), events(alice, "participant_permissions_changed")
    media.registry.require("room").update_participant("alice", permission=Permission(can_publish=False))
    await until(lambda: refreshed and permissions)
    claims = jwt.decode(alice.room._token or "", SECRET, algorithms=["HS256"])
    assert (claims["sub"], claims["video"]["canPublish"], claims["video"]["room"]) == ("alice", False, "room")


async def test_own_metadata_and_connection_quality(enter: Enter) -> None:
    alice, bob = await enter("alice", can_update_own_metadata=True), await enter("bob")
    quality = events(bob, "connection_quality_changed")
    await alice.room.local_participant.set_metadata("busy")
    await alice.room.local_participant.set_attributes({"hand": "up"})
    await until(lambda: bob.room.remote_participants["alice"].metadata == "busy")
    await until(lambda: bob.room.remote_participants["alice"].attributes == {"hand": "up"})
    await bob.room.local_participant.set_metadata("refused")
    await asyncio.sleep(0.3)
    assert alice.room.remote_participants["bob"].metadata == ""
    excellent = rtc.ConnectionQuality.QUALITY_EXCELLENT
    await until(lambda: {p.identity for p, q in quality if q == excellent} == {"alice", "bob"})
