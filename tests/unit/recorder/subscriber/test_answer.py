"""Our answer to a server's offer."""

from __future__ import annotations

from meet.media.sdp import parse as sdp
from meet.recorder.subscriber import answer
from meet.recorder.subscriber.ice import Candidate, parse_candidate

OFFER = "\r\n".join(
    [
        "v=0",
        "o=- 1 1 IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        "a=group:BUNDLE 0 1 2",
        "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
        "a=mid:0",
        "a=ice-ufrag:abcd",
        "a=ice-pwd:0123456789abcdef01234567",
        "a=fingerprint:sha-256 AA:BB",
        "a=setup:actpass",
        "a=sctp-port:5000",
        "m=video 9 UDP/TLS/RTP/SAVPF 98 96 97",
        "a=mid:1",
        "a=sendonly",
        "a=msid:PA_x|camera TR_v",
        "a=rtpmap:98 H265/90000",
        "a=rtpmap:96 VP8/90000",
        "a=rtcp-fb:96 nack pli",
        "a=rtcp-fb:96 transport-cc",
        "a=rtpmap:97 rtx/90000",
        "a=fmtp:97 apt=96",
        "a=ssrc-group:FID 11 12",
        "a=ssrc:11 cname:x",
        "a=ssrc:12 cname:x",
        "m=audio 9 UDP/TLS/RTP/SAVPF 111",
        "a=mid:2",
        "a=inactive",
        "a=rtpmap:111 opus/48000/2",
        "",
    ]
)


def write() -> str:
    return answer.write(sdp.parse(OFFER), ufrag="me", pwd="secretsecretsecretsecret", fingerprint="CC:DD", version=3)


def test_it_takes_the_codec_that_can_be_recorded_with_its_rtx() -> None:
    text = write()
    assert "m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\n" in text
    assert "a=rtcp-fb:96 nack pli" in text
    assert "transport-cc" not in text
    assert "H265" not in text


def test_every_section_is_answered_with_our_transport() -> None:
    text = write()
    assert text.count("a=setup:active") == 3
    assert text.count("a=ice-ufrag:me") == 3
    assert "a=group:BUNDLE 0 1 2" in text
    assert text.count("a=recvonly") == 1
    assert text.count("a=inactive") == 1
    assert [section.mid for section in sdp.parse(text)] == ["0", "1", "2"]


def test_candidates() -> None:
    line = "a=candidate:1 1 udp 2130706431 127.0.0.1 7882 typ host"
    assert parse_candidate(line) == Candidate("127.0.0.1", 7882, 2130706431)
    assert parse_candidate("candidate:1 1 tcp 1 127.0.0.1 7 typ host tcptype passive") is None
    assert parse_candidate("candidate:1 1 udp 1 host.local 7 typ host") is None
    assert parse_candidate("nonsense") is None
