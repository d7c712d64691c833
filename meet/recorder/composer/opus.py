"""Opus to samples by libopus itself: PyAV's decoders neither conceal what was lost nor read the forward error
correction of the packet after it (RFC 6716 2.1.7, 4.4).

The library is the one that PyAV's wheel carries, else the system's.
"""

from __future__ import annotations

import ctypes
import ctypes.util
from collections import deque
from functools import lru_cache
from pathlib import Path
from typing import Final, TypeAlias

import av
import numpy as np
import numpy.typing as npt

RATE: Final = 48_000
CHANNELS: Final = 2
MAX_SAMPLES: Final = RATE * 120 // 1000
"""Of one packet (RFC 6716 3.2)."""

_HEAD_BYTES: Final = 2
"""They tell how long a packet is (RFC 6716 3.1, 3.2)."""
_STEREO: Final = 0x04
"""In a packet's first byte (RFC 6716 3.1)."""
_RECENT: Final = 50
"""Packets after which a decoder that did not have those before them is as good as one that had."""

Samples: TypeAlias = npt.NDArray[np.float32]
"""Channels x samples, -1 to 1."""

_FLOATS = ctypes.POINTER(ctypes.c_float)


class OpusMissing(Exception):
    """There is no libopus."""


class Undecodable(Exception):
    """libopus does not take this packet; `str()` says why."""


@lru_cache(maxsize=1)
def _library() -> ctypes.CDLL:
    package = Path(av.__file__).parent
    carried = [*package.parent.glob("av.libs/libopus[-.]*"), *package.glob(".dylibs/libopus*")]
    name = str(carried[0]) if carried else ctypes.util.find_library("opus")
    if name is None:
        raise OpusMissing("libopus is neither in PyAV's wheel nor on the system (Debian: libopus0)")
    library = ctypes.CDLL(name)
    library.opus_decoder_create.restype = ctypes.c_void_p
    library.opus_decoder_create.argtypes = [ctypes.c_int32, ctypes.c_int, ctypes.POINTER(ctypes.c_int)]
    library.opus_decoder_destroy.argtypes = [ctypes.c_void_p]
    library.opus_decoder_destroy.restype = None
    library.opus_decode_float.argtypes = [
        *(ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int32),
        *(_FLOATS, ctypes.c_int, ctypes.c_int),
    ]
    library.opus_packet_get_nb_samples.argtypes = [ctypes.c_char_p, ctypes.c_int32, ctypes.c_int32]
    library.opus_strerror.restype = ctypes.c_char_p
    return library


@lru_cache(maxsize=1024)
def _length(head: bytes) -> int:
    count: int = _library().opus_packet_get_nb_samples(head, len(head), RATE)
    return max(0, count)


class OpusDecoder:
    """One stream. Raises OpusMissing.

    As long as no packet of it is stereo, one channel is decoded and doubled: libopus would compute the same samples
    twice (22 µs instead of 28 per packet, 1 ms/s for four microphones)."""

    def __init__(self) -> None:
        self._library = _library()
        self._state: int | None = None
        self._recent: deque[bytes] = deque(maxlen=_RECENT)
        self._open(1)

    def __del__(self) -> None:
        if getattr(self, "_state", None):
            self._library.opus_decoder_destroy(self._state)

    def _open(self, channels: int) -> None:
        error = ctypes.c_int()
        opened = self._library.opus_decoder_create(RATE, channels, ctypes.byref(error))
        if not opened:
            raise OpusMissing(f"libopus error {error.value}")
        if self._state:
            self._library.opus_decoder_destroy(self._state)
        self._state, self._channels = opened, channels
        self._buffer = np.zeros((MAX_SAMPLES, channels), np.float32)
        self._pointer = self._buffer.ctypes.data_as(_FLOATS)

    def _widen(self, payload: bytes) -> None:
        """From the first packet in stereo on, use a decoder for it that has heard what came last."""
        if self._channels < CHANNELS and payload[:1] and payload[0] & _STEREO:
            self._open(CHANNELS)
            for heard in self._recent:
                self._run(heard, MAX_SAMPLES, fec=False)
            self._recent.clear()

    def length(self, payload: bytes) -> int:
        """Samples in a packet; 0 for what is none."""
        return _length(payload[:_HEAD_BYTES])

    def decode(self, payload: bytes) -> Samples:
        """A packet. Raises Undecodable."""
        self._widen(payload)
        sound = self._run(payload, MAX_SAMPLES, fec=False)
        if self._channels < CHANNELS:
            self._recent.append(payload)
        return sound

    def recover(self, following: bytes, length: int) -> Samples:
        """The lost `length` samples before `following`, from its error correction, or concealed. Raises Undecodable."""
        self._widen(following)
        return self._run(following, length, fec=True)

    def conceal(self, length: int) -> Samples:
        """What might have been in `length` lost samples (a multiple of 2.5 ms), fading out as more is lost."""
        return self._run(None, length, fec=False)

    def _run(self, payload: bytes | None, length: int, *, fec: bool) -> Samples:
        size = len(payload) if payload is not None else 0
        made = self._library.opus_decode_float(self._state, payload, size, self._pointer, length, int(fec))
        if made < 0:
            raise Undecodable(self._library.opus_strerror(made).decode())
        sound = np.empty((CHANNELS, made), np.float32)
        sound[:] = self._buffer[:made].T
        return sound
