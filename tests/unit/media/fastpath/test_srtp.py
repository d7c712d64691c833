"""What is used of pylibsrtp's inside is there and does what it should."""

from __future__ import annotations

import pylibsrtp
import pytest

from bench.sfu.srtp import session
from meet.media.fastpath import srtp
from meet.media.fastpath.srtp import MAX_PACKET, protect_address, seal, session_address

HEADER = b"\x80\x60\x00\x01" + bytes(4) + b"\0\0\0\x07"


@pytest.mark.parametrize("size", [0, 1, 1000, MAX_PACKET - 12])
def test_sealing_is_what_protect_does(size: int) -> None:
    payload = bytes(range(256)) * 6
    sealed = seal(session(), HEADER, payload[:size])
    assert session(receive=True).unprotect(sealed) == HEADER + payload[:size]
    if size <= 1000:
        assert sealed == session().protect(HEADER + payload[:size])


def test_what_cannot_be_sealed_is_refused() -> None:
    with pytest.raises(ValueError, match="too long"):
        seal(session(), HEADER, bytes(MAX_PACKET - 11))
    with pytest.raises(pylibsrtp.Error):
        seal(session(), b"\x80\x60", b"")
    twice = session()
    seal(twice, HEADER, b"x")
    with pytest.raises(pylibsrtp.Error):
        seal(twice, HEADER, b"y")


def test_addresses_are_told() -> None:
    assert protect_address()
    one, two = session(), session()
    assert session_address(one) != session_address(two)


def test_a_function_with_other_arguments_is_not_called(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in libsrtp 3, whose srtp_protect takes an output buffer as well."""
    monkeypatch.setattr(srtp, "_ARGUMENTS", ("struct srtp_ctx_t_ *", "uint8_t *", "size_t", "uint8_t *", "size_t *"))
    assert protect_address() == 0
