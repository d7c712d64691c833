"""Our STUN subset against aioice's implementation."""

from __future__ import annotations

import pytest
from aioice import stun as reference

from meet.media.transport import stun


def request(password: str = "secret", *, username: str = "srv:cli", use_candidate: bool = False) -> bytes:
    message = reference.Message(message_method=reference.Method.BINDING, message_class=reference.Class.REQUEST)
    message.attributes["USERNAME"] = username
    message.attributes["PRIORITY"] = 1
    message.attributes["ICE-CONTROLLING"] = 7
    if use_candidate:
        message.attributes["USE-CANDIDATE"] = None
    message.add_message_integrity(password.encode())
    message.add_fingerprint()
    return bytes(message)


def test_an_authentic_request() -> None:
    parsed = stun.parse_binding_request(request(use_candidate=True))
    assert parsed is not None
    assert parsed.local_ufrag == "srv"
    assert parsed.use_candidate
    assert parsed.authentic("secret")
    assert not parsed.authentic("other")


def test_a_changed_byte_is_noticed() -> None:
    data = bytearray(request())
    data[26] ^= 1
    parsed = stun.parse_binding_request(bytes(data))
    assert parsed is None or not parsed.authentic("secret")


def test_what_follows_the_integrity_is_ignored() -> None:
    message = reference.Message(message_method=reference.Method.BINDING, message_class=reference.Class.REQUEST)
    message.attributes["USERNAME"] = "a:b"
    message.add_message_integrity(b"pw")
    message.attributes["USE-CANDIDATE"] = None
    parsed = stun.parse_binding_request(bytes(message))
    assert parsed is not None
    assert not parsed.use_candidate


@pytest.mark.parametrize(
    "data",
    [
        b"",
        bytes(20),
        request()[:-4],
        request() + bytes(4),
        b"\x01\x01" + request()[2:],
        request()[:20],
        request(username=""),
    ],
    ids=["empty", "zeros", "cut", "longer", "a response", "no attributes", "no user name"],
)
def test_anything_else_is_refused(data: bytes) -> None:
    assert stun.parse_binding_request(data) is None


def test_response_is_understood_by_others() -> None:
    parsed = stun.parse_binding_request(request())
    assert parsed is not None
    raw = stun.binding_response(parsed.transaction_id, "192.0.2.7", 54321, "secret")
    message = reference.parse_message(raw)
    assert message.message_class is reference.Class.RESPONSE
    assert message.attributes["XOR-MAPPED-ADDRESS"] == ("192.0.2.7", 54321)
    assert message.transaction_id == parsed.transaction_id
    assert message.check_message_integrity(b"secret")


def test_an_ipv6_client_learns_its_address() -> None:
    parsed = stun.parse_binding_request(request())
    assert parsed is not None
    raw = stun.binding_response(parsed.transaction_id, "2001:db8::7", 54321, "secret")
    message = reference.parse_message(raw)
    assert message.attributes["XOR-MAPPED-ADDRESS"] == ("2001:db8::7", 54321)
