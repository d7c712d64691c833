"""The load: each publisher sends 30 frames/s of 5 packets (1180 bytes) and 50 audio packets/s (160 bytes).

Every packet carries the time it was sent. Each subscriber's socket counts what arrives; of every 64th packet the time
is read, which tells how long packets were under way.
"""

from __future__ import annotations

import select
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from meet.media.transport.rtp import payload_offset

EXTENSION = struct.pack("!HH", 0xBEDE, 1) + bytes([0x41, 0, 1, 0])
_SAMPLE = 64
_VIDEO_BODY = 1155
_AUDIO_BODY = 140
WARM_UP_S = 1.5
_TAIL_S = 0.5


@dataclass
class Source:
    """A publisher's socket, its SRTP session, where it sends, and its SSRCs."""

    sock: socket.socket
    srtp: Any
    target: tuple[str, int]
    video_ssrc: int
    audio_ssrc: int
    video: int = 0
    audio: int = 0

    def frame(self, at: float) -> int:
        """Send one picture: a key frame first, then delta frames. Returns the number of packets."""
        for part in range(5):
            marker = 0x80 if part == 4 else 0
            head = struct.pack("!BBHII", 0x90, 96 | marker, self.video & 0xFFFF, int(at * 90000), self.video_ssrc)
            picture = self.video // 5 & 0x7FFF
            body = bytes([0x90 if part == 0 else 0x80, 0x80, 0x80 | picture >> 8, picture & 0xFF, self.video >= 5])
            self._send(head + EXTENSION + body, _VIDEO_BODY)
            self.video += 1
        return 5

    def sound(self, _at: float) -> int:
        head = struct.pack("!BBHII", 0x90, 111, self.audio & 0xFFFF, self.audio * 960, self.audio_ssrc)
        self._send(head + EXTENSION, _AUDIO_BODY)
        self.audio += 1
        return 1

    def _send(self, head: bytes, size: int) -> None:
        stamp = struct.pack("!Q", time.monotonic_ns())
        self.sock.sendto(self.srtp.protect(head + stamp + bytes(size - 8)), self.target)


@dataclass
class Outcome:
    """Packets of the whole run; times are ms, p50, p99 and max. `window`: (arrived, probe) at its begin and end.

    delay: how long packets were under way. late: how far the sources were behind their plan, which nobody else is to
    blame for; on a busy machine it is most of everything.
    """

    sent: int = 0
    arrived: int = 0
    delay: list[float] = field(default_factory=list)
    late: list[float] = field(default_factory=list)
    window: list[tuple[int, float]] = field(default_factory=list)


def percentiles(values: list[float]) -> list[float]:
    """[p50, p99, max], rounded; zeros when there are none."""
    ordered = sorted(values) or [0.0]
    return [round(ordered[int((len(ordered) - 1) * share)], 1) for share in (0.5, 0.99, 1.0)]


class Sinks:
    """All subscribers' ends, read by a thread. sinks: (socket, SRTP session that decrypts what comes there)."""

    def __init__(self, sinks: list[tuple[socket.socket, Any]]) -> None:
        self.arrived = 0
        self.delays: list[float] = []
        self._by_number = {sock.fileno(): (sock, srtp) for sock, srtp in sinks}
        for sock, _ in sinks:
            sock.setblocking(False)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        poll = select.epoll()
        for number in self._by_number:
            poll.register(number, select.EPOLLIN)
        buffer = bytearray(2048)
        while True:
            for number, _ in poll.poll():
                sock, srtp = self._by_number[number]
                try:
                    while True:
                        size = sock.recv_into(buffer)
                        if 128 <= buffer[0] < 192 and not 192 <= buffer[1] <= 223:
                            self.arrived += 1
                            if self.arrived % _SAMPLE == 0:
                                self._sample(bytes(buffer[:size]), srtp)
                except BlockingIOError:
                    continue

    def _sample(self, packet: bytes, srtp: Any) -> None:
        now = time.monotonic_ns()
        clear = srtp.unprotect(packet)
        at = payload_offset(clear) + (5 if len(clear) > 500 else 0)
        self.delays.append((now - int.from_bytes(clear[at : at + 8], "big")) / 1e6)


def drive(
    sources: list[Source], sinks: list[tuple[socket.socket, Any]], seconds: float, probe: Callable[[], float] = float
) -> Outcome:
    """Send for that long, counting. probe: called at begin and end of the measured window."""
    counting = Sinks(sinks)
    outcome = Outcome()
    plan: list[tuple[float, Callable[[float], int]]] = []
    for index, source in enumerate(sources):
        shift = index / len(sources)
        plan += [((shift + k) / 30, source.frame) for k in range(int(seconds * 30))]
        plan += [((shift + k) / 50, source.sound) for k in range(int(seconds * 50))]
    plan.sort(key=lambda each: each[0])
    late: list[float] = []
    marks = [WARM_UP_S, seconds - _TAIL_S]
    begin = time.monotonic()
    for at, send in plan:
        wait = begin + at - time.monotonic()
        if wait > 0:
            time.sleep(wait)
        late.append((time.monotonic() - begin - at) * 1e3)
        outcome.sent += send(at)
        if marks and at >= marks[0]:
            marks.pop(0)
            outcome.window.append((counting.arrived, probe()))
    time.sleep(0.7)
    outcome.arrived = counting.arrived
    outcome.late = percentiles(late)
    outcome.delay = percentiles(counting.delays[len(counting.delays) // 8 :])
    return outcome
