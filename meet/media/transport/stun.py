"""The STUN subset an ICE-lite agent needs: read Binding requests, check and make Binding responses (RFC 8489, 8445)."""

from __future__ import annotations

import hashlib
import hmac
import socket
import struct
import zlib
from dataclasses import dataclass

_COOKIE = 0x2112A442
_BINDING_REQUEST = 0x0001
_BINDING_SUCCESS = 0x0101
_USERNAME = 0x0006
_MESSAGE_INTEGRITY = 0x0008
_XOR_MAPPED_ADDRESS = 0x0020
_USE_CANDIDATE = 0x0025
_FINGERPRINT = 0x8028
_FINGERPRINT_XOR = 0x5354554E


@dataclass(frozen=True)
class BindingRequest:
    """A parsed check. `username` is `<server ufrag>:<client ufrag>`."""

    transaction_id: bytes
    username: str
    use_candidate: bool
    raw: bytes
    integrity_at: int

    @property
    def local_ufrag(self) -> str:
        return self.username.partition(":")[0]

    def authentic(self, password: str) -> bool:
        """Does MESSAGE-INTEGRITY match? The covered length ends with that attribute (RFC 8489 section 14.5)."""
        at = self.integrity_at
        head = self.raw[:2] + struct.pack("!H", at + 24 - 20) + self.raw[4:at]
        expected = hmac.digest(password.encode(), head, hashlib.sha1)
        return hmac.compare_digest(expected, self.raw[at + 4 : at + 24])


def parse_binding_request(data: bytes) -> BindingRequest | None:
    """The request, or None for anything else or malformed, or without the attributes ICE demands."""
    if len(data) < 20 or len(data) % 4:
        return None
    kind, length, cookie = struct.unpack_from("!HHI", data)
    if kind != _BINDING_REQUEST or cookie != _COOKIE or length != len(data) - 20:
        return None
    username = ""
    use_candidate = False
    at, end = 20, len(data)
    while at + 4 <= end:
        attribute, size = struct.unpack_from("!HH", data, at)
        if at + 4 + size > end:
            return None
        if attribute == _USERNAME:
            try:
                username = data[at + 4 : at + 4 + size].decode("ascii")
            except UnicodeDecodeError:
                return None
        elif attribute == _USE_CANDIDATE:
            use_candidate = True
        elif attribute == _MESSAGE_INTEGRITY:
            # What follows MESSAGE-INTEGRITY is not authenticated and is ignored.
            if size != 20 or not username:
                return None
            return BindingRequest(data[8:20], username, use_candidate, data, at)
        at += 4 + size + (-size % 4)
    return None


def binding_response(transaction_id: bytes, host: str, port: int, password: str) -> bytes:
    """A success response telling the client its address and port, with integrity and fingerprint."""
    family = 2 if ":" in host else 1
    packed = socket.inet_pton(socket.AF_INET6 if family == 2 else socket.AF_INET, host.partition("%")[0])
    key = (struct.pack("!I", _COOKIE) + transaction_id)[: len(packed)]
    masked = bytes(a ^ b for a, b in zip(packed, key, strict=True))
    mapped = struct.pack("!HHBBH", _XOR_MAPPED_ADDRESS, 4 + len(packed), 0, family, port ^ (_COOKIE >> 16)) + masked
    head = struct.pack("!HHI", _BINDING_SUCCESS, len(mapped) + 24, _COOKIE) + transaction_id + mapped
    integrity = hmac.digest(password.encode(), head, hashlib.sha1)
    body = head[20:] + struct.pack("!HH", _MESSAGE_INTEGRITY, 20) + integrity
    whole = struct.pack("!HHI", _BINDING_SUCCESS, len(body) + 8, _COOKIE) + transaction_id + body
    fingerprint = (zlib.crc32(whole) & 0xFFFFFFFF) ^ _FINGERPRINT_XOR
    return whole + struct.pack("!HHI", _FINGERPRINT, 4, fingerprint)
