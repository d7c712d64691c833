"""Signalling over a real WebSocket: joining, resuming, grants, and every way to leave."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from livekit.protocol import models as pb
from livekit.protocol import rtc as sig

from meet.media.gateway import pulse
from meet.media.gateway.turn import TurnConfig
from meet.media.main import MediaServer
from meet.media.room import LeaveReason, Permission
from meet.media.sdp.parse import parse
from tests.unit.media.gateway.client import Client, running, token
from tests.unit.media.sdp.test_parse import offer

Connect = Callable[[], Client]


@pytest.fixture
def client(server: MediaServer, http: aiohttp.ClientSession) -> Connect:
    return lambda: Client(http, server)


async def _joined(client: Connect, identity: str, **grants: Any) -> Client:
    connected = await client().v0(token(identity, **grants))
    join = await connected.expect("join")
    connected.sid = join.participant.sid
    return connected


async def test_v0_join_message_and_server_offer(client: Connect) -> None:
    alice = await client().v0(token("alice"))
    join = await alice.expect("join")
    assert join.room.name == "room"
    assert join.participant.identity == "alice"
    assert join.participant.name == "Alice"
    assert join.participant.sid.startswith("PA_")
    assert join.subscriber_primary
    assert join.server_version
    assert {c.mime for c in join.enabled_publish_codecs} == {"video/VP8", "video/H264", "audio/opus"}
    first = await alice.expect("offer")
    sections = parse(first.sdp)
    assert [s.kind for s in sections] == ["application"]
    assert sections[0].setup == "actpass"


async def test_v1_answers_the_offer_of_the_join_url(client: Connect) -> None:
    request = sig.JoinRequest(
        connection_settings=sig.ConnectionSettings(auto_subscribe=True),
        publisher_offer=sig.SessionDescription(type="offer", sdp=offer("chromium_v1_join.sdp"), id=1),
    )
    alice = await client().v1(token("alice"), request)
    join = await alice.expect("join")
    assert not join.subscriber_primary
    answer = await alice.expect("answer")
    assert answer.id == 1
    sections = parse(answer.sdp)
    assert [s.kind for s in sections] == ["audio"] * 3 + ["video"] * 3 + ["application"]
    assert {s.direction for s in sections[:6]} == {"inactive"}
    assert {s.setup for s in sections} == {"passive"}


async def test_publishing_is_announced_then_answered(client: Connect) -> None:
    alice = await client().v1(token("alice"))
    await alice.expect("join")
    text = offer("chromium_v1_publish.sdp")
    cid = next(s.track_id for s in parse(text) if s.rids)
    await alice.send(
        add_track=sig.AddTrackRequest(cid=cid, type=pb.TrackType.VIDEO, source=pb.TrackSource.CAMERA, width=1280)
    )
    published = await alice.expect("track_published")
    assert published.cid == cid
    assert published.track.sid.startswith("TR_")
    await alice.send(offer=sig.SessionDescription(type="offer", sdp=text, id=4))
    answer = await alice.expect("answer")
    camera = next(s for s in parse(answer.sdp) if s.direction == "recvonly")
    assert (answer.id, camera.formats) == (4, ["96", "97"])


@pytest.mark.parametrize(("disabled", "formats"), [(False, ["63", "111"]), (True, ["111"])])
async def test_redundant_audio_stays_so_when_the_client_offers_again(
    client: Connect, disabled: bool, formats: list[str]
) -> None:
    alice = await client().v1(token("alice"))
    await alice.expect("join")
    text = offer("chromium_v1_publish.sdp")
    cid = next(s.track_id for s in parse(text) if s.kind == "audio" and s.sends)
    source = pb.TrackSource.MICROPHONE
    await alice.send(
        add_track=sig.AddTrackRequest(cid=cid, type=pb.TrackType.AUDIO, source=source, disable_red=disabled)
    )
    await alice.expect("track_published")
    for number in (4, 5):
        await alice.send(offer=sig.SessionDescription(type="offer", sdp=text, id=number))
        microphone = next(s for s in parse((await alice.expect("answer")).sdp) if s.direction == "recvonly")
        assert microphone.formats == formats


@pytest.mark.parametrize(
    ("grants", "source", "allowed"),
    [
        ({}, pb.TrackSource.CAMERA, True),
        ({"canPublish": False}, pb.TrackSource.CAMERA, False),
        ({"canPublishSources": ["microphone"]}, pb.TrackSource.CAMERA, False),
        ({"canPublishSources": ["camera"]}, pb.TrackSource.CAMERA, True),
        ({"hidden": True}, pb.TrackSource.CAMERA, False),
    ],
)
async def test_publish_grants(
    client: Connect, server: MediaServer, grants: dict[str, object], source: pb.TrackSource, allowed: bool
) -> None:
    server.registry.create("room")
    alice = await _joined(client, "alice", **grants)
    await alice.send(add_track=sig.AddTrackRequest(cid="c", type=pb.TrackType.VIDEO, source=source))
    if allowed:
        assert (await alice.expect("track_published")).cid == "c"
    else:
        refusal = await alice.expect("request_response")
        assert refusal.reason == sig.RequestResponse.NOT_ALLOWED
        assert refusal.add_track.cid == "c"


@pytest.mark.parametrize("path", ["/rtc", "/rtc/v1", "/rtc/validate", "/rtc/v1/validate"])
async def test_refusals_before_the_socket(server: MediaServer, http: aiohttp.ClientSession, path: str) -> None:
    url = f"http://127.0.0.1:{server.port}{path}"
    async with http.get(url) as response:
        assert response.status == 401
        assert response.headers["Access-Control-Allow-Origin"] == "*"
    query = {"access_token": token("EG_1", hidden=True, recorder=True)}
    async with http.get(url, params=query) as response:
        assert (response.status, await response.text()) == (404, "requested room does not exist")
    assert server.registry.get("room") is None


async def test_validate_and_health(server: MediaServer, http: aiohttp.ClientSession) -> None:
    url = f"http://127.0.0.1:{server.port}"
    async with http.get(f"{url}/rtc/validate", params={"access_token": token("alice")}) as response:
        assert (response.status, await response.text()) == (200, "success")
    async with http.get(url) as response:
        assert (response.status, await response.text()) == (200, "OK")


async def test_a_long_join_url_is_accepted(client: Connect) -> None:
    alice = await client().v0(token("alice"), network="x" * 20_000)
    await alice.expect("join")


async def test_pings(client: Connect) -> None:
    alice = await _joined(client, "alice")
    await alice.send(ping=5)
    assert await alice.expect("pong") > 0
    await alice.send(ping_req=sig.Ping(timestamp=7, rtt=1))
    assert (await alice.expect("pong_resp")).last_ping_timestamp == 7


async def test_leaving_is_told_to_the_others(client: Connect, server: MediaServer) -> None:
    alice, bob = await _joined(client, "alice"), await _joined(client, "bob")
    await bob.send(leave=sig.LeaveRequest(reason=pb.DisconnectReason.CLIENT_INITIATED))
    await bob.ended()
    while True:
        (info,) = (await alice.expect("update")).participants
        if info.state == pb.ParticipantInfo.DISCONNECTED:
            break
    assert info.identity == "bob"
    room = server.registry.require("room")
    assert set(room.participants) == {"alice"}


@pytest.mark.parametrize(
    ("act", "reason", "action"),
    [
        (
            lambda s: s.registry.require("room").remove_participant("alice"),
            pb.DisconnectReason.PARTICIPANT_REMOVED,
            sig.LeaveRequest.DISCONNECT,
        ),
        (lambda s: s.registry.delete("room"), pb.DisconnectReason.ROOM_DELETED, sig.LeaveRequest.DISCONNECT),
        (lambda s: s.registry.shutdown(), pb.DisconnectReason.SERVER_SHUTDOWN, sig.LeaveRequest.RECONNECT),
    ],
)
async def test_being_sent_away(
    client: Connect,
    server: MediaServer,
    act: Callable[[MediaServer], None],
    reason: pb.DisconnectReason,
    action: sig.LeaveRequest.Action,
) -> None:
    alice = await _joined(client, "alice")
    act(server)
    leave = await alice.expect("leave")
    assert (leave.reason, leave.action) == (reason, action)
    await alice.ended()


async def test_same_identity_replaces(client: Connect) -> None:
    first = await _joined(client, "alice")
    second = await _joined(client, "alice")
    leave = await first.expect("leave")
    assert (leave.reason, leave.action) == (pb.DisconnectReason.DUPLICATE_IDENTITY, sig.LeaveRequest.DISCONNECT)
    assert second.sid != first.sid


async def test_resume_on_a_new_socket(client: Connect, server: MediaServer) -> None:
    alice = await _joined(client, "alice")
    before = parse((await alice.expect("offer")).sdp)[0].ufrag
    await alice.socket.close()
    again = await client().v0(token("alice"), reconnect="1", sid=alice.sid)
    await again.expect("reconnect")
    identities = [p.identity for p in (await again.expect("update")).participants]
    assert identities == ["alice"]
    restarted = parse((await again.expect("offer")).sdp)[0].ufrag
    assert restarted != before
    assert server.registry.require("room").participants["alice"].sid == alice.sid


@pytest.mark.parametrize("query", [{"sid": "PA_other"}, {}])
async def test_resume_of_somebody_unknown(client: Connect, query: dict[str, str]) -> None:
    alice = await client().v0(token("alice"), reconnect="1", **query)
    leave = await alice.expect("leave")
    assert (leave.reason, leave.action) == (pb.DisconnectReason.STATE_MISMATCH, sig.LeaveRequest.RECONNECT)
    await alice.ended()


async def test_resume_as_somebody_else(client: Connect) -> None:
    alice = await _joined(client, "alice")
    await _joined(client, "bob")
    thief = await client().v0(token("bob"), reconnect="1", sid=alice.sid)
    assert (await thief.expect("leave")).reason == pb.DisconnectReason.STATE_MISMATCH


async def _until(condition: Callable[[], object], step: Callable[[], Awaitable[None]] | None = None) -> None:
    async with asyncio.timeout(40):
        while not condition():
            await (step() if step is not None else asyncio.sleep(0.01))


async def test_a_lost_socket_is_waited_for_then_given_up(client: Connect, server: MediaServer) -> None:
    alice = await _joined(client, "alice")
    room = server.registry.require("room")
    (session,) = server.gateway.pulse.sessions
    await alice.socket.close()
    await _until(lambda: session.detached_at is not None)
    detached = session.detached_at
    assert detached is not None
    server.gateway.pulse.step(40, detached + pulse.RESUME_S - 1)
    assert "alice" in room.participants
    server.gateway.pulse.step(40, detached + pulse.RESUME_S + 1)
    assert room.participants == {}
    assert session.participant.disconnect_reason is LeaveReason.SIGNAL_CLOSE


async def test_media_that_never_comes_up_is_given_up(client: Connect, server: MediaServer) -> None:
    alice = await _joined(client, "alice")
    (session,) = server.gateway.pulse.sessions
    server.gateway.pulse.step(40, session.started_at + pulse.JOIN_S + 1)
    assert (await alice.expect("leave")).reason == pb.DisconnectReason.JOIN_FAILURE


async def test_own_metadata(client: Connect, server: MediaServer) -> None:
    alice = await _joined(client, "alice", canUpdateOwnMetadata=True)
    update = sig.UpdateParticipantMetadata(metadata="new", attributes={"hand": "up"}, request_id=9)
    await alice.send(update_metadata=update)
    response = await alice.expect("request_response")
    assert (response.request_id, response.reason) == (9, sig.RequestResponse.OK)
    member = server.registry.require("room").participants["alice"]
    assert (member.metadata, member.attributes) == ("new", {"hand": "up"})
    await alice.send(update_metadata=sig.UpdateParticipantMetadata(metadata="x" * 70_000, request_id=10))
    assert (await alice.expect("request_response")).reason == sig.RequestResponse.LIMIT_EXCEEDED
    bob = await _joined(client, "bob")
    await bob.send(update_metadata=sig.UpdateParticipantMetadata(metadata="x", request_id=11))
    assert (await bob.expect("request_response")).reason == sig.RequestResponse.NOT_ALLOWED


async def test_room_and_permission_changes_reach_the_client(client: Connect, server: MediaServer) -> None:
    alice = await _joined(client, "alice")
    room = server.registry.require("room")
    room.update_metadata("m")
    assert (await alice.expect("room_update")).room.metadata == "m"
    room.update_participant("alice", permission=Permission(can_publish=False))
    (info,) = (await alice.expect("update")).participants
    assert not info.permission.can_publish


async def test_unknown_and_broken_input(client: Connect, server: MediaServer) -> None:
    alice = await _joined(client, "alice")
    await alice.send(simulate=sig.SimulateScenario(speaker_update=1))
    await alice.send(offer=sig.SessionDescription(type="offer", sdp="nonsense", id=1))
    await alice.send(ping=1)
    assert await alice.expect("pong")
    await alice.socket.send_bytes(b"\xff\xff\xff")
    await alice.ended()
    assert "alice" in server.registry.require("room").participants


async def test_full_room(client: Connect, server: MediaServer) -> None:
    room = server.registry.create("room")
    room.max_participants = 1
    await _joined(client, "alice")
    bob = await client().v0(token("bob"))
    assert (await bob.expect("leave")).reason == pb.DisconnectReason.JOIN_FAILURE
    await bob.ended()


async def test_what_a_resuming_client_is_sent_again(client: Connect, server: MediaServer) -> None:
    alice = await _joined(client, "alice")
    session = next(iter(server.gateway.pulse.sessions))
    for sequence in (1, 2, 2, 1, 3):  # 1 and 2 come twice, as after a resume of the sender
        packet = pb.DataPacket(sequence=sequence, user=pb.UserPacket(payload=b"x"))
        session._on_data("_reliable", packet.SerializeToString())
    assert session.reliable.last == 3
    await alice.socket.close()
    again = await client().v0(token("alice"), reconnect="1", sid=alice.sid)
    assert (await again.expect("reconnect")).last_message_seq == 3
    assert (await again.expect("room_update")).room.name == "room"


async def test_packets_that_a_receiver_missed(client: Connect, server: MediaServer) -> None:
    await _joined(client, "alice")
    bob = await _joined(client, "bob")
    alice_session, bob_session = (
        next(s for s in server.gateway.pulse.sessions if s.participant.identity == name) for name in ("alice", "bob")
    )
    for sequence in (1, 2, 3):
        packet = pb.DataPacket(sequence=sequence, user=pb.UserPacket(payload=b"%d" % sequence))
        alice_session._on_data("_reliable", packet.SerializeToString())
    bob_session._early.clear()  # they were under way when his connection broke
    state = sig.DataChannelReceiveState(publisher_sid=alice_session.participant.sid, last_seq=1)
    await bob.send(sync_state=sig.SyncState(datachannel_receive_states=[state]))
    await bob.send(ping=1)
    await bob.expect("pong")
    assert [pb.DataPacket.FromString(p).sequence for p in bob_session._early] == [2, 3]


async def test_turn_servers_are_told_at_join_and_resume(http: aiohttp.ClientSession) -> None:
    async with running(turn=TurnConfig(("turn:relay.example:3478",), "north")) as server:
        alice = await Client(http, server).v0(token("alice"))
        join = await alice.expect("join")
        (relay,) = join.ice_servers
        expiry, _, identity = relay.username.partition(":")
        assert (list(relay.urls), identity) == (["turn:relay.example:3478"], "alice")
        assert 86_000 < int(expiry) - time.time() <= 86_400
        await alice.socket.close()
        again = await Client(http, server).v0(token("alice"), reconnect="1", sid=join.participant.sid)
        assert (await again.expect("reconnect")).ice_servers[0].urls == relay.urls


async def test_a_restored_room_is_woken_by_people_only(
    server: MediaServer, http: aiohttp.ClientSession, client: Connect
) -> None:
    """A recorder must not go on recording a meeting that nobody came back to after a restart."""
    server.registry.restore("room", sid="RM_old", created_at_ms=1)
    query = {"access_token": token("EG_1", hidden=True, recorder=True)}
    url = f"http://127.0.0.1:{server.port}/rtc/validate"
    async with http.get(url, params=query) as response:
        assert response.status == 404
    alice = await client().v0(token("alice"))
    assert (await alice.expect("join")).room.sid == "RM_old"
    async with http.get(url, params=query) as response:
        assert response.status == 200


async def test_a_track_is_described_in_few_words(client: Connect) -> None:
    """Everybody in the room is told the name."""
    alice = await _joined(client, "alice")
    await alice.send(add_track=sig.AddTrackRequest(cid="c", type=pb.TrackType.VIDEO, name="x" * 17_000))
    assert (await alice.expect("request_response")).reason == sig.RequestResponse.NOT_ALLOWED


async def test_one_sessions_trouble_does_not_stop_the_timers_of_others(
    client: Connect, server: MediaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("alice", "bob"):
        await _joined(client, name)
    first, second = list(server.gateway.pulse.sessions)  # in the order in which they are visited
    monkeypatch.setattr(first.publishing_peer, "flush_twcc", lambda: 1 / 0)
    flushed: list[int] = []
    monkeypatch.setattr(second.publishing_peer, "flush_twcc", lambda: flushed.append(1))
    server.gateway.pulse.step(2, first.started_at)
    assert flushed
