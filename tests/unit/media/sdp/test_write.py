from __future__ import annotations

from dataclasses import replace

from meet.media.sdp import codecs, write
from meet.media.sdp.parse import Section, parse
from tests.unit.media.sdp.test_parse import offer

TRANSPORT = write.TransportLines(
    ufrag="uf",
    pwd="pw",
    fingerprint="AA:BB",
    candidates=("a=candidate:1 1 udp 1 192.0.2.1 7882 typ host",),
    setup="passive",
)
STREAM = write.Outgoing(ssrc=11, rtx_ssrc=12, cname="PA_1", stream="PA_1|camera", track_id="TR_1")


def again(sections: list[tuple[str, list[str]]]) -> list[Section]:
    """What a client would read."""
    return parse(write.session(2, sections))


def camera() -> Section:
    return next(s for s in parse(offer("chromium_v1_publish.sdp")) if s.rids)


def test_answer_to_a_published_simulcast_section() -> None:
    section = camera()
    choice = codecs.choose(section, "VP8")
    assert choice is not None
    lines = write.receive(section, choice, TRANSPORT)
    answer = again([(section.mid, lines)])[0]
    assert answer.formats == ["96", "97"]
    assert answer.direction == "recvonly"
    assert answer.feedback[96] == ["nack", "nack pli", "ccm fir", "transport-cc"]
    assert set(answer.extensions.values()) == {write.TWCC, write.MID, write.RID, write.REPAIRED_RID}
    assert "a=rid:q recv" in lines
    assert "a=simulcast:recv q;h;f" in lines


def test_audio_answer_turns_dtx_on_and_prefers_redundancy() -> None:
    section = next(s for s in parse(offer("chromium_v1_publish.sdp")) if s.kind == "audio" and s.sends)
    choice = codecs.choose(section, "opus")
    assert choice is not None
    answer = again([(section.mid, write.receive(section, choice, TRANSPORT))])[0]
    assert answer.formats == ["63", "111"]
    assert answer.codecs[63] == ("red", 48000, 2)
    assert answer.fmtp[63] == "111/111"
    assert answer.fmtp[111].split(";")[-1] == "usedtx=1"
    plain = again([(section.mid, write.receive(section, replace(choice, red_pt=None), TRANSPORT))])[0]
    assert plain.formats == ["111"]
    assert "useinbandfec=1" in answer.fmtp[111]


def test_answer_to_a_receive_section_asks_for_remb_not_twcc() -> None:
    section = parse(offer("chromium_v1_join.sdp"))[3]
    choice = codecs.choose(section, "VP8")
    assert choice is not None
    answer = again([(section.mid, write.send(section, choice, TRANSPORT, STREAM))])[0]
    assert answer.direction == "sendonly"
    assert "goog-remb" in answer.feedback[96]
    assert "transport-cc" not in answer.feedback[96]
    assert (answer.ssrcs, answer.fid, answer.track_id) == ([11, 12], (11, 12), "TR_1")


def test_inactive_sections_echo_codecs_and_extensions() -> None:
    section = parse(offer("chromium_v1_join.sdp"))[3]
    answer = again([(section.mid, write.inactive(section, TRANSPORT))])[0]
    assert answer.direction == "inactive"
    assert answer.formats == section.formats
    assert write.RID in answer.extensions.values()
    assert write.TWCC in answer.extensions.values()


def test_own_offer_for_the_subscriber_connection() -> None:
    sections = again(
        [
            ("0", write.application("0", TRANSPORT, 1000)),
            ("1", write.offer("video", "1", codecs.OFFERED["H264"], TRANSPORT, STREAM)),
            ("2", write.offer("audio", "2", codecs.OFFERED["opus"], TRANSPORT, None)),
        ]
    )
    assert [s.mid for s in sections] == ["0", "1", "2"]
    assert sections[0].max_message_size == 1000
    assert codecs.choose(sections[1], "H264") == codecs.OFFERED["H264"]
    assert sections[1].extension_id(write.ABS_SEND_TIME) == write.OFFERED_ABS_SEND_TIME_ID
    assert sections[2].direction == "inactive"


def test_session_head() -> None:
    text = write.session(7, [("a", ["m=audio 9 X 0"]), ("b", ["m=audio 9 X 0"])])
    assert "o=- 1 7 IN IP4 0.0.0.0" in text
    assert "a=ice-lite\r\n" in text
    assert "a=group:BUNDLE a b\r\n" in text
    assert text.endswith("\r\n")


def test_only_av1_comes_with_the_dependency_descriptor() -> None:
    section = Section(kind="video", mid="1", direction="sendonly", formats=["45", "96"])
    section.codecs = {45: codecs.OFFERED["AV1"].codec, 96: codecs.OFFERED["VP8"].codec}
    section.fmtp = {45: "level-idx=5;profile=0;tier=0"}
    section.extensions = {4: write.MID, 12: write.DEPENDENCY}
    for name, present in (("AV1", True), ("VP8", False)):
        choice = codecs.choose(section, name)
        assert choice is not None
        for lines in (write.receive(section, choice, TRANSPORT), write.send(section, choice, TRANSPORT, STREAM)):
            assert (again([("1", lines)])[0].extension_id(write.DEPENDENCY) == 12) is present
        offered = again([("1", write.offer("video", "1", codecs.OFFERED[name], TRANSPORT, STREAM))])[0]
        assert (offered.extension_id(write.DEPENDENCY) == write.OFFERED_DEPENDENCY_ID) is present
    section.fmtp = {45: "profile=1"}
    assert codecs.choose(section, "AV1") is None
