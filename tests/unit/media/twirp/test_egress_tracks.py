"""Track egress with the unmodified livekit-api client: which file, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from livekit import api
from livekit.protocol import egress as proto

from meet.media.room import Publication, TrackKind, TrackSource
from meet.media.twirp.egress_info import egress_info
from meet.media.twirp.egress_model import TrackChoice
from tests.unit.media.twirp.conftest import Server
from tests.unit.media.twirp.fakes import join, publish

CODECS = {"TR_vp8": "video/VP8", "TR_h264": "video/H264", "TR_av1": "video/AV1", "TR_h265": "video/H265"}


@pytest.fixture
def tracks(server: Server) -> None:
    """Ann has a microphone and a camera of every codec, Bob a microphone."""
    room = server.registry.create("a")
    for who in ("ann", "bob"):
        join(room, who)
        publish(room, who, f"TR_mic_{who}")
    owner = room.participant("ann")
    for sid, mime in CODECS.items():
        track = Publication(sid, sid, TrackKind.VIDEO, TrackSource.CAMERA, owner, mime_type=mime)
        room.publish(track)
        room.track_live(track)


def direct(track_id: str, filepath: str = "") -> api.TrackEgressRequest:
    return api.TrackEgressRequest(room_name="a", track_id=track_id, file=api.DirectFileOutput(filepath=filepath))


@pytest.mark.usefixtures("tracks")
async def test_one_track_as_it_comes(client: api.LiveKitAPI, server: Server) -> None:
    for sid, path, key, choice in (
        ("TR_vp8", "{room_name}/{track_source}", "a/camera.webm", TrackChoice("TR_vp8", "", True)),
        ("TR_av1", "x.webm", "x.webm", TrackChoice("TR_av1", "", True)),
        ("TR_h264", "{track_type}-{track_id}", "video-TR_h264.mp4", TrackChoice("TR_h264", "", True)),
        ("TR_mic_ann", "{publisher_identity}.ogg", "ann.ogg", TrackChoice("", "TR_mic_ann", True)),
    ):
        started = await client.egress.start_track_egress(direct(sid, path))
        assert (started.WhichOneof("request"), started.track.track_id) == ("track", sid)
        assert started.file_results[0].filename == started.file.filename == key
        kept = server.control.states[started.egress_id].request
        assert (kept.tracks, kept.compose, kept.key) == (choice, "after", key)
        assert kept.manifest is not None and (kept.manifest["track_id"], kept.manifest["room_name"]) == (sid, "a")
    for path in ("", "rec/"):
        unnamed = await client.egress.start_track_egress(direct("TR_vp8", path))
        assert unnamed.file.filename.startswith(f"{path}TR_vp8-2") and unnamed.file.filename.endswith(".webm")


@pytest.mark.usefixtures("tracks")
async def test_picture_and_sound_as_one_file(client: api.LiveKitAPI, server: Server) -> None:
    request = api.TrackCompositeEgressRequest(
        room_name="a",
        video_track_id="TR_vp8",
        audio_track_id="TR_mic_bob",
        preset=proto.EncodingOptionsPreset.H264_1080P_30,
        file_outputs=[api.EncodedFileOutput(filepath="{room_name}/{track_id}")],
    )
    started = await client.egress.start_track_composite_egress(request)
    assert (started.WhichOneof("request"), started.track_composite.audio_track_id) == ("track_composite", "TR_mic_bob")
    kept = server.control.states[started.egress_id].request
    assert (kept.tracks, kept.compose) == (TrackChoice("TR_vp8", "TR_mic_bob"), None)
    assert (kept.layout, kept.encoding, kept.key) == ("single-speaker", "H264_1080P_30", "a/TR_vp8.mp4")


@pytest.mark.usefixtures("tracks")
async def test_one_of_both_alone(client: api.LiveKitAPI, server: Server) -> None:
    for changes, choice, only, key in (
        ({"video_track_id": "", "audio_track_id": "TR_mic_ann"}, TrackChoice("", "TR_mic_ann"), "audio", "x.mp4"),
        ({"video_track_id": "TR_vp8"}, TrackChoice("TR_vp8", ""), "video", "x.mp4"),
    ):
        started = await client.egress.start_track_composite_egress(composite(**changes))
        kept = server.control.states[started.egress_id].request
        assert (kept.tracks, kept.only, kept.key) == (choice, only, key)


@pytest.mark.usefixtures("tracks")
async def test_a_manifest_unless_it_is_disabled(client: api.LiveKitAPI, server: Server) -> None:
    started = await client.egress.start_track_egress(direct("TR_mic_bob", "x/y/bob"))
    kept = server.control.states[started.egress_id]
    assert kept.request.manifest == {
        "room_name": "a",
        "room_id": server.registry.require("a").sid,
        "publisher_identity": "bob",
        "track_id": "TR_mic_bob",
        "track_kind": "audio",
        "track_source": "microphone",
    }
    assert not egress_info(kept).manifest_location, "it is not there yet"
    assert egress_info(replace(kept, status="complete")).manifest_location == f"x/y/{started.egress_id}.json"
    quiet = direct("TR_mic_bob")
    quiet.file.disable_manifest = True
    started = await client.egress.start_track_egress(quiet)
    kept = server.control.states[started.egress_id]
    assert kept.request.manifest is None
    assert not egress_info(replace(kept, status="complete")).manifest_location

    both = composite(audio_track_id="TR_mic_ann")
    started = await client.egress.start_track_composite_egress(both)
    content = server.control.states[started.egress_id].request.manifest or {}
    assert (content["video_track_id"], content["audio_track_id"]) == ("TR_vp8", "TR_mic_ann")
    both.file_outputs[0].disable_manifest = True
    started = await client.egress.start_track_composite_egress(both)
    assert server.control.states[started.egress_id].request.manifest is None


def composite(**changes: Any) -> api.TrackCompositeEgressRequest:
    fields = {"room_name": "a", "video_track_id": "TR_vp8", "file_outputs": [api.EncodedFileOutput(filepath="x")]}
    return api.TrackCompositeEgressRequest(**fields | changes)


@pytest.mark.usefixtures("tracks")
@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (direct("TR_none"), "not_found"),
        (direct(""), "invalid_argument"),
        (direct("TR_vp8", "../x"), "invalid_argument"),
        (direct("TR_h265"), "unimplemented"),
        (api.TrackEgressRequest(room_name="a", track_id="TR_vp8"), "invalid_argument"),
        (api.TrackEgressRequest(room_name="a", track_id="TR_vp8", websocket_url="wss://x"), "unimplemented"),
        (api.TrackEgressRequest(room_name="b", track_id="TR_vp8", file=api.DirectFileOutput()), "not_found"),
        (
            api.TrackEgressRequest(
                room_name="a", track_id="TR_vp8", file=api.DirectFileOutput(s3=api.S3Upload(bucket="b"))
            ),
            "invalid_argument",
        ),
        (composite(video_track_id="TR_mic_ann"), "invalid_argument"),
        (composite(audio_track_id="TR_vp8"), "invalid_argument"),
        (composite(audio_track_id="TR_none"), "not_found"),
        (composite(video_track_id=""), "invalid_argument"),
        (composite(file_outputs=[]), "invalid_argument"),
        (composite(stream_outputs=[api.StreamOutput()]), "unimplemented"),
    ],
)
async def test_what_is_refused(client: api.LiveKitAPI, request_: Any, code: str) -> None:
    single = isinstance(request_, api.TrackEgressRequest)
    start: Any = client.egress.start_track_egress if single else client.egress.start_track_composite_egress
    with pytest.raises(api.ServerError) as caught:
        await start(request_)
    assert caught.value.code == code
