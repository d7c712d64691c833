from __future__ import annotations

from pathlib import Path

import pytest

from meet.media.sdp import codecs, write
from meet.media.sdp.parse import SdpError, parse

HERE = Path(__file__).parent


def offer(name: str) -> str:
    return (HERE / name).read_text()


def test_chromium_join_offer_has_receive_placeholders_and_data() -> None:
    sections = parse(offer("chromium_v1_join.sdp"))
    assert [s.kind for s in sections] == ["audio"] * 3 + ["video"] * 3 + ["application"]
    assert {s.direction for s in sections[:6]} == {"recvonly"}
    assert all(s.ufrag and s.pwd and s.fingerprint and s.fingerprint[0] == "sha-256" for s in sections)
    assert sections[-1].max_message_size == 262144


def test_chromium_publish_offer() -> None:
    sections = parse(offer("chromium_v1_publish.sdp"))
    camera = next(s for s in sections if s.rids)
    assert camera.rids == ["q", "h", "f"]
    assert camera.sends
    assert camera.track_id == camera.msid.split()[1]
    assert camera.extension_id(write.TWCC) is not None
    assert camera.extension_id(write.RID) is not None
    mic = next(s for s in sections if s.kind == "audio" and s.sends)
    assert mic.codecs[111] == ("opus", 48000, 2)


def test_rust_publish_offer_sends_simulcast_in_its_own_order() -> None:
    camera = next(s for s in parse(offer("rust_v1_publish.sdp")) if s.rids)
    assert camera.rids == ["h", "q"]


def test_codec_choice_follows_the_client() -> None:
    camera = next(s for s in parse(offer("chromium_v1_publish.sdp")) if s.rids)
    vp8 = codecs.choose(camera, "VP8")
    assert vp8 is not None
    assert (vp8.pt, vp8.rtx_pt) == (96, 97)
    h264 = codecs.choose(camera, "H264")
    assert h264 is not None
    assert "packetization-mode=1" in h264.fmtp
    assert "profile-level-id=42e0" in h264.fmtp
    assert camera.fmtp[h264.rtx_pt or 0] == f"apt={h264.pt}"
    assert codecs.choose(camera, "H265") is None


def test_h264_without_packetization_mode_1_is_not_taken() -> None:
    text = "m=video 9 UDP/TLS/RTP/SAVPF 100\r\na=rtpmap:100 H264/90000\r\na=fmtp:100 profile-level-id=42e01f\r\n"
    assert codecs.choose(parse(text)[0], "H264") is None


def test_session_level_attributes_are_inherited() -> None:
    text = (
        "v=0\r\na=ice-ufrag:u\r\na=ice-pwd:p\r\na=fingerprint:SHA-256 AA:BB\r\na=setup:active\r\n"
        "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\na=rtpmap:111 opus/48000/2\r\n"
    )
    section = parse(text)[0]
    assert (section.ufrag, section.pwd, section.setup) == ("u", "p", "active")
    assert section.fingerprint == ("sha-256", "AA:BB")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "v=0\r\n",
        "m=video\r\n",
        "m=video x UDP/TLS/RTP/SAVPF 96\r\n",
        "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=rtpmap:x VP8/90000\r\n",
        "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=ssrc-group:FID 1\r\n",
        "m=video 9 UDP/TLS/RTP/SAVPF 128\r\na=rtpmap:128 VP8/90000\r\n",
        "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=rtpmap:-1 VP8/90000\r\n",
        "m=audio 9 RTP 0\r\n" * 300,
    ],
)
def test_unusable_text_is_refused(text: str) -> None:
    with pytest.raises(SdpError):
        parse(text)


def test_encoding_names_are_ours_in_whatever_case_they_come() -> None:
    """Other subscribers' sections are made by the name of the choice."""
    text = "m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\na=rtpmap:96 vp8/90000\r\na=rtpmap:97 Av1/90000\r\n"
    section = parse(text)[0]
    assert [c.name for name in ("VP8", "AV1") if (c := codecs.choose(section, name))] == ["VP8", "AV1"]


@pytest.mark.parametrize("rate", ["0", "48000", "-90000"])
def test_a_codec_with_another_clock_is_not_taken(rate: str) -> None:
    text = f"m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=rtpmap:96 VP8/{rate}\r\n"
    assert codecs.choose(parse(text)[0], "VP8") is None


def test_extension_ids_that_no_packet_can_carry_are_left_out() -> None:
    lines = "".join(f"a=extmap:{number} urn:{number}\r\n" for number in (-1, 0, 1, 14, 15, 255, 256, 4096))
    (section,) = parse(f"m=video 9 UDP/TLS/RTP/SAVPF 96\r\n{lines}")
    assert list(section.extensions) == [1, 14, 15, 255]
