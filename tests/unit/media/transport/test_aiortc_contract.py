"""The private and undocumented names of aiortc and pylibsrtp that the adapter relies on."""

from __future__ import annotations

import inspect

from aiortc import rtp
from aiortc.rtcdtlstransport import SRTP_PROFILES, RTCDtlsTransport
from aiortc.rtcsctptransport import RTCSctpTransport
from OpenSSL import SSL

from meet.media.transport import aiortc_adapter as adapter


async def test_dtls_takes_any_ice_object_and_names_its_sessions() -> None:
    sent: list[bytes] = []
    dtls = adapter.Dtls(adapter.Certificate(), sent.append)
    assert dtls.native._role == "server"
    assert dtls.native.state == "new"
    assert dtls.srtp_sessions() == (None, None)
    source = inspect.getsource(RTCDtlsTransport)
    assert "self.transport._recv()" in source
    assert "self.transport._send(data)" in source


async def test_what_is_let_go_of_at_the_end() -> None:
    certificate = adapter.Certificate()
    dtls = adapter.Dtls(certificate, lambda _data: None)
    for name in ("_ssl", "_task", "_rx_srtp", "_tx_srtp"):
        assert hasattr(dtls.native, name)
    await dtls.stop()
    assert dtls.native._ssl is None


def test_all_handshakes_share_one_context_that_remembers_no_sessions() -> None:
    native = adapter.Certificate().native
    first = native._create_ssl_context(SRTP_PROFILES)
    assert native._create_ssl_context(SRTP_PROFILES) is first
    assert first.set_session_cache_mode(SSL.SESS_CACHE_OFF) == SSL.SESS_CACHE_OFF  # returns the mode before
    assert "_create_ssl_context" in inspect.getsource(RTCDtlsTransport)


async def test_sctp_needs_only_these_of_its_transport() -> None:
    source = inspect.getsource(RTCSctpTransport)
    for name in ("_register_data_receiver", "_unregister_data_receiver", "_send_data", "_role"):
        assert name in source
        assert hasattr(RTCDtlsTransport, name) or name == "_role"


def test_rtcp_names() -> None:
    assert (adapter.FMT_NACK, adapter.FMT_PLI, adapter.FMT_FIR, adapter.FMT_APP) == (1, 1, 4, 15)
    nack = adapter.RtcpRtpfbPacket(fmt=adapter.FMT_NACK, ssrc=1, media_ssrc=2, lost=[3, 4, 20])
    (parsed,) = adapter.parse_rtcp(bytes(nack))
    assert parsed.lost == [3, 4, 20]


def test_remb() -> None:
    assert adapter.parse_remb(rtp.pack_remb_fci(1_000_000, [5])) == 1_000_000
    assert adapter.parse_remb(b"nope") is None


def test_fingerprint_is_sha_256() -> None:
    assert len(adapter.Certificate().fingerprint.split(":")) == 32
