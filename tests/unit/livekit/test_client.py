"""The domain's port, end to end: domain words in, domain words and errors out."""

from __future__ import annotations

import datetime
import ssl
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from livekit.protocol import egress as proto

from meet.core.errors import (
    EgressNotActive,
    EgressNotFound,
    Issue,
    MediaServerError,
    MediaServerUnavailable,
    ValidationFailed,
)
from meet.core.model.encoding import PRESETS, Encoding
from meet.core.ports import MediaServer
from meet.core.recording_errors import RecordingRefused
from meet.livekit import LiveKitMediaServer
from meet.media.room import LeaveReason, ParticipantKind, RoomRegistry
from meet.media.twirp import twirp_routes
from meet.media.twirp.egress_model import STATUSES
from meet.tls import trust_own
from tests.unit.media.twirp.conftest import KEY, SECRET, Server
from tests.unit.media.twirp.fakes import FakeControl, join

OPTIONS: Encoding = {
    "video": {
        "width": 640,
        "height": 360,
        "framerate": 25,
        "codec": "H264_HIGH",
        "bitrate": 900,
        "keyFrameInterval": 2.5,
        "depth": 24,
    },
    "audio": {"codec": "AAC", "bitrate": 96, "frequency": 48000},
}


def test_is_the_port(media: LiveKitMediaServer) -> None:
    port: MediaServer = media
    assert port is media


async def test_rooms(media: LiveKitMediaServer, server: Server) -> None:
    await media.create_room("a", metadata="m", empty_timeout_s=20, departure_timeout_s=21)
    room = server.registry.require("a")
    assert (room.metadata, room.empty_timeout_s, room.departure_timeout_s) == ("m", 20, 21)
    assert await media.list_rooms() == ["a"]
    await media.delete_room("a")
    await media.delete_room("a")
    assert await media.list_rooms() == []


async def test_participants(media: LiveKitMediaServer, server: Server) -> None:
    room = server.registry.create("a")
    ann = join(room, "ann")
    join(room, "EG_1", hidden=True, kind=ParticipantKind.EGRESS)
    (listed,) = await media.list_participants("a")
    assert (listed.identity, listed.name, listed.kind) == ("ann", "Ann", "standard")
    assert await media.list_participants("nowhere") == []
    await media.update_participant_metadata("a", "ann", '{"x":1}')
    found = await media.get_participant("a", "ann")
    assert found is not None and found.metadata == '{"x":1}' and found.sid == room.participant("ann").sid
    assert await media.get_participant("a", "bob") is None
    assert await media.get_participant("b", "ann") is None
    with pytest.raises(MediaServerError, match="updating metadata for participant 'bob' in room 'a'"):
        await media.update_participant_metadata("a", "bob", "{}")
    await media.send_data("a", b"hello", topic="t", identities=["ann"])
    await media.send_data("a", b"again", topic="t", sids=[found.sid])
    assert ann.data == [(b"hello", "t", True), (b"again", "t", True)]
    with pytest.raises(MediaServerError, match="sending data to LiveKit room 'b'"):
        await media.send_data("b", b"x", topic="t")
    assert await media.remove_participant("a", "ann") is True
    assert await media.remove_participant("a", "ann") is False
    assert ann.left is LeaveReason.PARTICIPANT_REMOVED


@pytest.mark.parametrize("encoding", [*PRESETS, OPTIONS])
async def test_encodings_survive_both_ways(media: LiveKitMediaServer, server: Server, encoding: Encoding) -> None:
    server.registry.create("a")
    started = await media.start_room_composite("a", layout="single-speaker", encoding=encoding, key="p/a--x.mp4")
    assert (started.encoding, started.layout, started.key) == (encoding, "single-speaker", "p/a--x.mp4")
    assert (started.status, started.room_name) == ("starting", "a")
    assert server.control.states[started.egress_id].request.encoding == encoding


async def test_numbers_that_the_protocol_cannot_hold(media: LiveKitMediaServer, server: Server) -> None:
    """The contract sets no upper bounds; what cannot be made is the recorder's to say."""
    much = {"width": 3e9, "framerate": 1e300, "bitrate": 1e18, "depth": 1e18}
    known = cast(dict[str, dict[str, Any]], OPTIONS)
    options: Any = {"video": known["video"] | much, "audio": known["audio"] | {"bitrate": 1e18, "frequency": 1e18}}
    server.registry.create("a")
    with pytest.raises(ValidationFailed) as caught:
        await media.start_room_composite("a", layout="grid", encoding=options, key="p/a--x.mp4")
    assert caught.value.issues == (Issue("config.encoding", "width, height and framerate are out of range"),)


async def test_sound_alone(media: LiveKitMediaServer, server: Server) -> None:
    """A LiveKit server that is told no file type makes another file than the key says."""
    server.registry.create("a")
    started = await media.start_room_composite(
        "a", layout="grid", encoding=PRESETS[0], key="p/a--x.mp4", audio_only=True
    )
    assert (started.key, started.audio_only) == ("p/a--x.mp4", True)
    kept = server.control.states[started.egress_id].request
    assert (kept.only, kept.container) == ("audio", None)
    asked = proto.RoomCompositeEgressRequest.FromString(kept.original)
    assert asked.audio_only and asked.file_outputs[0].file_type == proto.EncodedFileType.MP4


async def test_egress_results_and_statuses(media: LiveKitMediaServer, server: Server) -> None:
    server.registry.create("a")
    started = await media.start_room_composite("a", layout="grid", encoding=PRESETS[0], key="a.mp4")
    assert (started.size, started.duration_s, started.ended_at_ms, started.error) == (None, None, None, None)
    state = server.control.states[started.egress_id]
    for status in STATUSES:
        server.control.states[started.egress_id] = replace(
            state, status=status, ended_at_ms=1_700_000_001_500, size=5, duration_s=1.25, error="e", error_code=7
        )
        (egress,) = await media.list_egress(egress_id=started.egress_id)
        assert egress.status == status
        assert (egress.size, egress.duration_s, egress.error, egress.error_code) == (5, 1.25, "e", 7)
        assert (egress.started_at_ms, egress.ended_at_ms) == (1_700_000_000_000, 1_700_000_001_500)
    assert await media.list_egress(room="a", active=True) == []
    assert await media.list_egress(egress_id="EG_none") == []


async def test_stopping(media: LiveKitMediaServer, server: Server) -> None:
    server.registry.create("a")
    started = await media.start_room_composite("a", layout="grid", encoding=PRESETS[0], key="a.mp4")
    assert (await media.stop_egress(started.egress_id)).status == "ending"
    with pytest.raises(EgressNotActive):
        await media.stop_egress(started.egress_id)
    with pytest.raises(EgressNotFound):
        await media.stop_egress("EG_none")


async def test_another_layout(media: LiveKitMediaServer, server: Server) -> None:
    server.registry.create("a")
    started = await media.start_room_composite("a", layout="grid", encoding=PRESETS[0], key="a.mp4")
    assert (await media.update_layout(started.egress_id, "single-speaker")).layout == "single-speaker"
    await media.stop_egress(started.egress_id)
    with pytest.raises(EgressNotActive):
        await media.update_layout(started.egress_id, "grid")
    with pytest.raises(EgressNotFound):
        await media.update_layout("EG_none", "grid")


async def test_a_start_that_fails(media: LiveKitMediaServer, server: Server) -> None:
    server.registry.create("a")
    server.control.refuse = "disk full"
    with pytest.raises(MediaServerError, match="starting Room Composite Egress for room 'a'") as caught:
        await media.start_room_composite("a", layout="grid", encoding=PRESETS[0], key="a.mp4")
    assert not isinstance(caught.value, MediaServerUnavailable)
    assert "disk full" in caught.value.detail and "disk full" not in caught.value.message


async def test_a_start_there_is_no_room_for(media: LiveKitMediaServer, server: Server) -> None:
    server.registry.create("a")
    server.control.full = "1 of 1 recorders busy"
    with pytest.raises(RecordingRefused, match="Recording in room 'a' cannot start now") as caught:
        await media.start_room_composite("a", layout="grid", encoding=PRESETS[0], key="a.mp4")
    assert "recorders busy" in caught.value.detail and "busy" not in caught.value.message


async def test_a_start_with_what_cannot_be_made(media: LiveKitMediaServer, server: Server) -> None:
    server.registry.create("a")
    server.control.unsupported = "a picture of 5000x180 is not supported"
    with pytest.raises(ValidationFailed) as caught:
        await media.start_room_composite("a", layout="grid", encoding=PRESETS[0], key="a.mp4")
    assert caught.value.issues == (Issue("config.encoding", "a picture of 5000x180 is not supported"),)


async def test_nobody_there() -> None:
    media = LiveKitMediaServer("ws://127.0.0.1:1", KEY, SECRET)
    with pytest.raises(MediaServerUnavailable, match="getting LiveKit rooms"):
        await media.list_rooms()
    await media.close()


async def test_wrong_secret_is_an_error_without_the_token(server: Server) -> None:
    media = LiveKitMediaServer(server.url, KEY, "another-secret-that-is-long-enough")
    with pytest.raises(MediaServerError) as caught:
        await media.create_room("a", metadata="", empty_timeout_s=1, departure_timeout_s=1)
    assert caught.value.message == "Unexpected error while creating LiveKit room"
    assert caught.value.detail.startswith("unauthenticated:") and "eyJ" not in caught.value.detail
    await media.close()


async def test_a_proxy_without_upstream_is_unavailable() -> None:
    async def bad_gateway(_request: web.Request) -> web.Response:
        return web.Response(status=502, text="<html>")

    app = web.Application()
    app.router.add_post("/{rest:.*}", bad_gateway)
    proxy = TestServer(app)
    await proxy.start_server()
    async with aiohttp.ClientSession() as session:
        media = LiveKitMediaServer(str(proxy.make_url("")), KEY, SECRET, session=session)
        with pytest.raises(MediaServerUnavailable):
            await media.list_rooms()
        await media.close()
        assert not session.closed  # it is not ours
    await proxy.close()


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """A self-signed leaf for a public name, as an operator would install."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    cert_path, key_path = folder / f"{name}.crt", folder / f"{name}.key"
    cert_path.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    key_path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return cert_path, key_path


async def test_our_own_certificate_is_trusted_and_no_other(tmp_path: Path) -> None:
    own, key = certificate(tmp_path, "meet.example.org")
    other, _ = certificate(tmp_path, "other.example.org")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own, key)
    app = web.Application()
    app.add_routes(twirp_routes(RoomRegistry(), FakeControl(), {KEY: SECRET}))
    server = TestServer(app, scheme="https")
    await server.start_server(ssl=context)
    url = f"wss://127.0.0.1:{server.port}"
    good = LiveKitMediaServer(url, KEY, SECRET, tls=trust_own(own))
    assert await good.list_rooms() == []
    await good.close()
    bad = LiveKitMediaServer(url, KEY, SECRET, tls=trust_own(other))
    with pytest.raises(MediaServerUnavailable):
        await bad.list_rooms()
    await bad.close()
    await server.close()
