"""RoomService with the unmodified livekit-api client."""

from __future__ import annotations

import pytest
from livekit import api
from livekit.protocol import models as pb

from meet.media.room import LeaveReason
from tests.unit.media.twirp.conftest import Server
from tests.unit.media.twirp.fakes import join, publish


async def test_create_list_and_delete(client: api.LiveKitAPI, server: Server) -> None:
    room = await client.room.create_room(
        api.CreateRoomRequest(name="a", metadata="m", empty_timeout=7, departure_timeout=9, max_participants=3)
    )
    assert (room.name, room.metadata, room.empty_timeout, room.departure_timeout) == ("a", "m", 7, 9)
    assert room.sid == server.registry.require("a").sid
    await client.room.create_room(api.CreateRoomRequest(name="b"))
    everything = await client.room.list_rooms(api.ListRoomsRequest())
    assert sorted(r.name for r in everything.rooms) == ["a", "b"]
    some = await client.room.list_rooms(api.ListRoomsRequest(names=["b", "nowhere"]))
    assert [r.name for r in some.rooms] == ["b"]
    link = join(server.registry.require("a"), "ann")
    await client.room.delete_room(api.DeleteRoomRequest(room="a"))
    assert link.left is LeaveReason.ROOM_DELETED
    with pytest.raises(api.ServerError) as caught:
        await client.room.delete_room(api.DeleteRoomRequest(room="a"))
    assert (caught.value.code, caught.value.status) == ("not_found", 404)


async def test_creating_an_existing_room_keeps_it(client: api.LiveKitAPI) -> None:
    first = await client.room.create_room(api.CreateRoomRequest(name="a", metadata="m", empty_timeout=7))
    second = await client.room.create_room(api.CreateRoomRequest(name="a"))
    assert (second.sid, second.metadata, second.empty_timeout) == (first.sid, "m", 7)


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (api.CreateRoomRequest(), "invalid_argument"),
        (api.CreateRoomRequest(name="x" * 257), "invalid_argument"),
        (api.CreateRoomRequest(name="x", metadata="m" * 64_001), "invalid_argument"),
        (api.CreateRoomRequest(name="x", egress=api.RoomEgress()), "unimplemented"),
    ],
)
async def test_refused_rooms(
    client: api.LiveKitAPI, server: Server, request_: api.CreateRoomRequest, code: str
) -> None:
    with pytest.raises(api.ServerError) as caught:
        await client.room.create_room(request_)
    assert caught.value.code == code
    assert server.registry.list() == []


async def test_participants(client: api.LiveKitAPI, server: Server) -> None:
    room = server.registry.create("a")
    ann = join(room, "ann")
    join(room, "EG_rec", hidden=True)
    listed = await client.room.list_participants(api.ListParticipantsRequest(room="a"))
    assert [(p.identity, p.permission.hidden) for p in listed.participants] == [("ann", False), ("EG_rec", True)]
    assert not (await client.room.list_participants(api.ListParticipantsRequest(room="none"))).participants
    info = await client.room.get_participant(api.RoomParticipantIdentity(room="a", identity="ann"))
    assert (info.name, info.state) == ("Ann", pb.ParticipantInfo.State.ACTIVE)
    with pytest.raises(api.ServerError) as caught:
        await client.room.get_participant(api.RoomParticipantIdentity(room="a", identity="bob"))
    assert caught.value.code == "not_found"
    await client.room.remove_participant(api.RoomParticipantIdentity(room="a", identity="ann"))
    assert ann.left is LeaveReason.PARTICIPANT_REMOVED
    assert "ann" not in room.participants


async def test_update_participant_changes_only_what_is_given(client: api.LiveKitAPI, server: Server) -> None:
    room = server.registry.create("a")
    join(room, "ann")
    await client.room.update_participant(
        api.UpdateParticipantRequest(room="a", identity="ann", metadata="{}", attributes={"hand": "up"})
    )
    changed = await client.room.update_participant(
        api.UpdateParticipantRequest(
            room="a", identity="ann", permission=api.ParticipantPermission(can_subscribe=True, can_publish_data=True)
        )
    )
    assert (changed.metadata, changed.name, dict(changed.attributes)) == ("{}", "Ann", {"hand": "up"})
    assert room.participant("ann").permission.can_publish is False
    assert room.participant("ann").permission.can_publish_data is True


async def test_mute_and_never_unmute(client: api.LiveKitAPI, server: Server) -> None:
    room = server.registry.create("a")
    ann = join(room, "ann")
    track = publish(room, "ann")
    request = api.MuteRoomTrackRequest(room="a", identity="ann", track_sid=track.sid, muted=True)
    answer = await client.room.mute_published_track(request)
    assert answer.track.muted and ann.muted == [track.sid]
    request.muted = False
    with pytest.raises(api.ServerError) as caught:
        await client.room.mute_published_track(request)
    assert (caught.value.code, caught.value.status) == ("failed_precondition", 412)
    assert track.muted
    with pytest.raises(api.ServerError, match="track"):
        await client.room.mute_published_track(
            api.MuteRoomTrackRequest(room="a", identity="ann", track_sid="TR_x", muted=True)
        )


async def test_update_subscriptions(client: api.LiveKitAPI, server: Server) -> None:
    room = server.registry.create("a")
    join(room, "ann")
    bob = join(room, "bob")
    track = publish(room, "ann")
    assert bob.subscribed == [track.sid]
    groups = [pb.ParticipantTracks(participant_sid=track.owner.sid, track_sids=[track.sid])]
    await client.room.update_subscriptions(
        api.UpdateSubscriptionsRequest(room="a", identity="bob", participant_tracks=groups, subscribe=False)
    )
    assert bob.unsubscribed == [track.sid]
    await client.room.update_subscriptions(
        api.UpdateSubscriptionsRequest(room="a", identity="bob", track_sids=[track.sid], subscribe=True)
    )
    assert bob.subscribed == [track.sid, track.sid]


async def test_send_data_reaches_whom_it_names(client: api.LiveKitAPI, server: Server) -> None:
    room = server.registry.create("a")
    ann, bob = join(room, "ann"), join(room, "bob")
    everybody = api.SendDataRequest(room="a", data=b"1", kind=pb.DataPacket.RELIABLE, topic="t")
    await client.room.send_data(everybody)
    await client.room.send_data(
        api.SendDataRequest(room="a", data=b"2", kind=pb.DataPacket.LOSSY, destination_identities=["bob"])
    )
    sid = room.participant("ann").sid
    await client.room.send_data(api.SendDataRequest(room="a", data=b"3", destination_sids=[sid]))
    assert ann.data == [(b"1", "t", True), (b"3", "", True)]
    assert bob.data == [(b"1", "t", True), (b"2", "", False)]
    with pytest.raises(api.ServerError) as caught:
        await client.room.send_data(api.SendDataRequest(room="a", data=b"x" * 64_001))
    assert caught.value.code == "invalid_argument"


async def test_room_metadata_reaches_members(client: api.LiveKitAPI, server: Server) -> None:
    room = server.registry.create("a")
    ann = join(room, "ann")
    answer = await client.room.update_room_metadata(api.UpdateRoomMetadataRequest(room="a", metadata="new"))
    assert answer.metadata == "new"
    assert ann.room_metadata == ["new"]


async def test_what_is_not_built_says_so(client: api.LiveKitAPI) -> None:
    with pytest.raises(api.ServerError) as caught:
        await client.room.move_participant(api.MoveParticipantRequest(room="a", identity="ann", destination_room="b"))
    assert (caught.value.code, caught.value.status) == ("unimplemented", 501)
    with pytest.raises(api.ServerError, match=r"livekit\.Ingress is not available"):
        await client.ingress.list_ingress(api.ListIngressRequest())
