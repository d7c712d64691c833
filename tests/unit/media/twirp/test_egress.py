"""The Egress service with the unmodified livekit-api client, over a control without recorders."""

from __future__ import annotations

import datetime
from dataclasses import replace

import pytest
from livekit import api
from livekit.protocol import egress as proto
from livekit.protocol import models as pb

from meet.livekit.egress import to_egress
from meet.media.twirp.egress_info import egress_info, egress_request
from meet.media.twirp.egress_model import STATUSES, EgressState, ParticipantChoice
from meet.media.twirp.errors import TwirpError
from tests.unit.media.twirp.conftest import Server

NOW = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.UTC)


def composite(**changes: object) -> api.RoomCompositeEgressRequest:
    request = api.RoomCompositeEgressRequest(
        room_name="a", layout="speaker", file_outputs=[api.EncodedFileOutput(filepath="rec/a--x")]
    )
    for name, value in changes.items():
        setattr(request, name, value)
    return request


async def test_start_list_update_stop(client: api.LiveKitAPI, server: Server) -> None:
    room = server.registry.create("a")
    request = composite(preset=proto.EncodingOptionsPreset.PORTRAIT_H264_720P_60)
    started = await client.egress.start_room_composite_egress(request)
    assert started.status == api.EgressStatus.EGRESS_STARTING
    assert (started.room_name, started.room_id) == ("a", room.sid)
    assert started.file_results[0].filename == "rec/a--x.mp4"
    assert started.room_composite.file_outputs[0].filepath == "rec/a--x"
    assert started.started_at == 1_700_000_000_000 * 1_000_000
    kept = server.control.states[started.egress_id].request
    assert (kept.layout, kept.encoding, kept.key) == ("speaker", "PORTRAIT_H264_720P_60", "rec/a--x.mp4")

    listed = await client.egress.list_egress(api.ListEgressRequest(room_name="a", active=True))
    assert [e.egress_id for e in listed.items] == [started.egress_id]
    assert not (await client.egress.list_egress(api.ListEgressRequest(egress_id="EG_none"))).items

    changed = await client.egress.update_layout(
        api.UpdateLayoutRequest(egress_id=started.egress_id, layout="grid-dark")
    )
    assert changed.room_composite.layout == "grid"

    stopped = await client.egress.stop_egress(api.StopEgressRequest(egress_id=started.egress_id))
    assert stopped.status == api.EgressStatus.EGRESS_ENDING
    with pytest.raises(api.ServerError) as caught:
        await client.egress.stop_egress(api.StopEgressRequest(egress_id=started.egress_id))
    assert (caught.value.code, caught.value.status) == ("failed_precondition", 412)
    with pytest.raises(api.ServerError) as caught:
        await client.egress.stop_egress(api.StopEgressRequest(egress_id="EG_none"))
    assert caught.value.code == "not_found"


async def test_one_participant(client: api.LiveKitAPI, server: Server) -> None:
    server.registry.create("a")
    output = api.EncodedFileOutput(filepath="{room_name}/{publisher_identity}")
    request = api.ParticipantEgressRequest(room_name="a", identity="ann", screen_share=True, file_outputs=[output])
    started = await client.egress.start_participant_egress(request)
    assert started.WhichOneof("request") == "participant"
    assert (started.participant.identity, started.file_results[0].filename) == ("ann", "a/ann.mp4")
    kept = server.control.states[started.egress_id].request
    assert kept.participant == ParticipantChoice("ann", screen_share=True)
    for broken in (
        api.ParticipantEgressRequest(room_name="a", file_outputs=[output]),
        api.ParticipantEgressRequest(room_name="a", identity="ann"),
    ):
        with pytest.raises(api.ServerError) as caught:
            await client.egress.start_participant_egress(broken)
        assert caught.value.code == "invalid_argument"


async def test_failures_of_start(client: api.LiveKitAPI, server: Server) -> None:
    with pytest.raises(api.ServerError) as caught:
        await client.egress.start_room_composite_egress(composite())
    assert caught.value.code == "not_found"  # no such room
    server.registry.create("a")
    server.control.refuse = "disk full"
    with pytest.raises(api.ServerError, match="disk full") as caught:
        await client.egress.start_room_composite_egress(composite())
    assert (caught.value.code, caught.value.status) == ("unavailable", 503)
    with pytest.raises(api.ServerError) as caught:
        await client.egress.start_web_egress(api.WebEgressRequest(url="http://x"))
    assert caught.value.code == "unimplemented"


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (composite(layout="mosaic"), "invalid_argument"),
        (composite(audio_only=True, video_only=True), "invalid_argument"),
        (composite(audio_only=True, audio_mixing=proto.AudioMixing.DUAL_CHANNEL_AGENT), "unimplemented"),
        (composite(custom_base_url="http://x"), "unimplemented"),
        (api.RoomCompositeEgressRequest(room_name="a"), "invalid_argument"),
        (api.RoomCompositeEgressRequest(room_name="a", stream_outputs=[api.StreamOutput()]), "unimplemented"),
        (composite(preset=proto.EncodingOptionsPreset.PASSTHROUGH), "invalid_argument"),
    ],
)
def test_what_cannot_be_recorded(request_: api.RoomCompositeEgressRequest, code: str) -> None:
    with pytest.raises(TwirpError) as caught:
        egress_request(request_, "RM_1", NOW)
    assert caught.value.code == code


@pytest.mark.parametrize("path", ["../x", "/etc/x", "a//b", "a/./b", "a/../b", "a\\b", "a\nb", "x" * 1000])
def test_paths_that_lead_elsewhere_are_refused(path: str) -> None:
    request = api.RoomCompositeEgressRequest(room_name="a", file_outputs=[api.EncodedFileOutput(filepath=path)])
    with pytest.raises(TwirpError, match="filepath"):
        egress_request(request, "RM_1", NOW)


def test_foreign_storage_and_other_containers_are_refused() -> None:
    for output, code in (
        (api.EncodedFileOutput(filepath="x", s3=api.S3Upload(bucket="b")), "invalid_argument"),
        (api.EncodedFileOutput(filepath="x", file_type=proto.EncodedFileType.OGG), "invalid_argument"),
        (api.EncodedFileOutput(filepath="x", file_type=proto.EncodedFileType.MP3), "unimplemented"),
    ):
        request = api.RoomCompositeEgressRequest(room_name="a", file=output)
        with pytest.raises(TwirpError) as caught:
            egress_request(request, "RM_1", NOW)
        assert caught.value.code == code


@pytest.mark.parametrize(
    ("path", "file_type", "codec", "key", "container"),
    [
        ("x", "DEFAULT_FILETYPE", None, "x.mp4", None),
        ("x", "DEFAULT_FILETYPE", "AAC", "x.mp4", None),
        ("x", "DEFAULT_FILETYPE", "OPUS", "x.ogg", "ogg"),
        ("x.mp4", "DEFAULT_FILETYPE", "OPUS", "x.mp4", None),
        ("x.m4a", "DEFAULT_FILETYPE", None, "x.m4a", None),
        ("x.ogg", "DEFAULT_FILETYPE", None, "x.ogg", "ogg"),
        ("x.v2", "MP4", "OPUS", "x.v2.mp4", None),
        ("x.ogg", "MP4", None, "x.mp4", None),
        ("x", "OGG", None, "x.ogg", "ogg"),
        ("x.m4a", "OGG", "OPUS", "x.ogg", "ogg"),
        ("x.webm", "DEFAULT_FILETYPE", "OPUS", "x.ogg", "ogg"),
    ],
)
def test_files_of_sound_alone(path: str, file_type: str, codec: str | None, key: str, container: str | None) -> None:
    """The protocol: MP4 or OGG as it is said, by default what goes with the codec; the name may say it, too."""
    output = api.EncodedFileOutput(filepath=path, file_type=file_type)
    request = api.RoomCompositeEgressRequest(room_name="a", audio_only=True, file_outputs=[output])
    if codec is not None:
        request.advanced.CopyFrom(api.EncodingOptions(audio_codec=codec))
    wanted = egress_request(request, "RM_1", NOW)
    assert (wanted.key, wanted.only, wanted.container) == (key, "audio", container)
    info = egress_info(EgressState("EG_1", wanted))
    assert info.room_composite.audio_only and info.file_results[0].filename == key


def test_an_ogg_of_another_codec_is_refused() -> None:
    output = api.EncodedFileOutput(filepath="x", file_type=proto.EncodedFileType.OGG)
    request = api.RoomCompositeEgressRequest(room_name="a", audio_only=True, file_outputs=[output])
    request.advanced.CopyFrom(api.EncodingOptions(audio_codec=pb.AudioCodec.AAC))
    with pytest.raises(TwirpError, match="Opus") as caught:
        egress_request(request, "RM_1", NOW)
    assert caught.value.code == "invalid_argument"


def test_pictures_alone() -> None:
    wanted = egress_request(composite(video_only=True), "RM_1", NOW)
    assert (wanted.key, wanted.only, wanted.container) == ("rec/a--x.mp4", "video", None)


def test_placeholders_and_the_old_output_field() -> None:
    output = api.EncodedFileOutput(filepath="{room_id}/{room_name}-{time}.mp4")
    request = api.RoomCompositeEgressRequest(room_name="a/b", file=output)
    assert egress_request(request, "RM_1", NOW).key == "RM_1/a_b-2026-01-02T030405.mp4"


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("", "a_b-2026-01-02T030405.mp4"),
        ("rec/", "rec/a_b-2026-01-02T030405.mp4"),
        ("rec/{room_id}/", "rec/RM_1/a_b-2026-01-02T030405.mp4"),
        ("x.webm", "x.mp4"),
    ],
)
def test_a_folder_gets_a_name_and_a_wrong_ending_the_right_one(path: str, key: str) -> None:
    output = api.EncodedFileOutput(filepath=path)
    request = api.RoomCompositeEgressRequest(room_name="a/b", file_outputs=[output])
    assert egress_request(request, "RM_1", NOW).key == key


def test_advanced_options_with_defaults() -> None:
    request = composite()
    request.advanced.CopyFrom(api.EncodingOptions(width=640, height=360, video_codec=pb.VideoCodec.VP8))
    assert egress_request(request, "RM_1", NOW).encoding == {
        "video": {
            "width": 640,
            "height": 360,
            "framerate": 30,
            "codec": "VP8",
            "bitrate": 4500,
            "keyFrameInterval": 4,
            "depth": 24,
        },
        "audio": {"codec": "DEFAULT_AC", "bitrate": 128, "frequency": 44100},
    }


async def test_every_status_and_result_on_the_wire(server: Server) -> None:
    state = await server.control.start(egress_request(composite(), "RM_1", NOW))
    names = [api.EgressStatus.Name(egress_info(replace(state, status=s)).status) for s in STATUSES]
    assert names == [f"EGRESS_{s.upper()}" for s in STATUSES]
    done = egress_info(
        replace(state, status="complete", ended_at_ms=1_700_000_010_500, size=1234, duration_s=10.25, details="d")
    )
    file = done.file_results[0]
    assert (file.size, file.duration, file.location) == (1234, 10_250_000_000, "rec/a--x.mp4")
    assert to_egress(done).store == "fs"
    in_bucket = egress_info(replace(state, status="complete", store="s3://minio:9000/b"))
    assert in_bucket.file_results[0].location == "s3://minio:9000/b/rec/a--x.mp4"
    assert to_egress(in_bucket).store == "s3://minio:9000/b"
    in_bucket.file_results[0].location = "https://minio:9000/b/rec/a--x.mp4"  # as LiveKit has it
    assert to_egress(in_bucket).store is None is to_egress(egress_info(state)).store
    assert (done.ended_at, done.details, done.file) == (1_700_000_010_500_000_000, "d", file)
