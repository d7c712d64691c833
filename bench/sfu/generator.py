"""Paced sources and the sink: each publisher sends 30 frames/s of 5 packets (1200 B) and 50 audio packets/s."""

from __future__ import annotations

import socket
import struct
import sys
import threading
import time

from bench.sfu.srtp import session

EXTENSION = struct.pack("!HH", 0xBEDE, 1) + bytes([0x41, 0, 1, 0])


def _schedule(publishers: int, seconds: float) -> list[tuple[float, int, bool]]:
    video = [(p / publishers / 30 + k / 30, p, True) for p in range(publishers) for k in range(int(seconds * 30))]
    audio = [(p / publishers / 50 + k / 50, p, False) for p in range(publishers) for k in range(int(seconds * 50))]
    return sorted(video + audio)


def main() -> None:
    """argv: server port, publishers, seconds. Prints its own ports, waits for a line, sends, prints the counts."""
    port, publishers, seconds = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    target = ("127.0.0.1", port)
    sources = []
    for _ in range(publishers):
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind(("127.0.0.1", 0))
        sources.append((sock, session()))
    sink = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sink.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
    sink.bind(("127.0.0.1", 0))
    sink.settimeout(1.0)
    arrived = 0

    def count() -> None:
        nonlocal arrived
        buffer = bytearray(2048)
        while True:
            try:
                sink.recv_into(buffer)
            except TimeoutError:
                continue
            arrived += 1

    threading.Thread(target=count, daemon=True).start()
    print(sink.getsockname()[1], *(s.getsockname()[1] for s, _ in sources), flush=True)
    sys.stdin.readline()
    video = [0] * publishers
    audio = [0] * publishers
    sent = 0
    begin = time.monotonic()
    for at, who, is_video in _schedule(publishers, seconds):
        wait = begin + at - time.monotonic()
        if wait > 0:
            time.sleep(wait)
        sock, srtp = sources[who]
        for part in range(5 if is_video else 1):
            if is_video:
                video[who] += 1
                marker = 0x80 if part == 4 else 0
                head = struct.pack("!BBHII", 0x90, 96 | marker, video[who] & 0xFFFF, int(at * 90000), 1000 + who)
                # VP8 descriptor with a 15-bit picture id; a key frame first, then delta frames.
                picture = video[who] // 5 & 0x7FFF
                begins = 0x90 if part == 0 else 0x80
                key = 0 if video[who] <= 5 else 1
                body = bytes([begins, 0x80, 0x80 | picture >> 8, picture & 0xFF, key]) + bytes(1155)
            else:
                audio[who] += 1
                head = struct.pack("!BBHII", 0x90, 111, audio[who] & 0xFFFF, audio[who] * 960, 2000 + who)
                body = bytes(140)
            sock.sendto(srtp.protect(head + EXTENSION + body), target)
            sent += 1
    time.sleep(0.5)
    print(sent, arrived, flush=True)


if __name__ == "__main__":
    main()
