"""The one door to pylibsrtp's inside: encrypting without its copies, and the addresses that C code needs.

Private names used here, guarded by `tests/unit/media/fastpath/test_srtp.py`: `Session._srtp` and the cffi module
`pylibsrtp._binding` with `srtp_protect`.
"""

from __future__ import annotations

from typing import Any

import pylibsrtp
from pylibsrtp import Session
from pylibsrtp._binding import ffi, lib

MAX_PACKET = 1456
"""Bytes of RTP header and payload; with tag, UDP and IPv4 headers that is an Ethernet frame; more is not sent."""
_TRAILER = 144
_ARGUMENTS = ("struct srtp_ctx_t_ *", "void *", "int *")

_buffer = ffi.new("char[]", MAX_PACKET + _TRAILER)
_view = memoryview(ffi.buffer(_buffer)).cast("B")
_length = ffi.new("int *")
_protect = lib.srtp_protect


def seal(session: Any, header: bytes, payload: bytes) -> bytes:
    """Encrypt `header + payload`.

    Raises pylibsrtp.Error when libsrtp refuses, ValueError for a packet above `MAX_PACKET`.
    """
    if type(session) is not Session:
        sealed: bytes = session.protect(header + payload)
        return sealed
    middle = len(header)
    end = middle + len(payload)
    if end > MAX_PACKET:
        raise ValueError("packet is too long")
    _view[:middle] = header
    _view[middle:end] = payload
    _length[0] = end
    if _protect(session._srtp[0], _buffer, _length):
        raise pylibsrtp.Error("libsrtp refused to encrypt")
    return bytes(_view[: _length[0]])


def protect_address() -> int:
    """Where `srtp_protect(srtp_t, void *, int *)` is in memory; 0 when it takes something else, or is not told.

    libsrtp 3 takes other arguments: called with these it would write where it must not.
    """
    try:
        function = ffi.addressof(lib, "srtp_protect")
        if tuple(each.cname for each in ffi.typeof(function).args) != _ARGUMENTS:
            return 0
        return int(ffi.cast("uintptr_t", function))
    except (AttributeError, TypeError, ffi.error):
        return 0


def session_address(session: Session) -> int:
    """The session's srtp_t; valid as long as the object lives."""
    return int(ffi.cast("uintptr_t", session._srtp[0]))
