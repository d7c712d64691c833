"""Run the benchmark and print the ratio. Options: publishers, subscribers, seconds."""

from __future__ import annotations

import argparse
import asyncio
import gc
import socket
import sys
import time

import uvloop

from bench.sfu.srtp import session
from meet.media.sfu.downtrack import DownTrack
from meet.media.sfu.track import Track
from meet.media.transport.aiortc_adapter import Certificate
from meet.media.transport.ice_lite import Path
from meet.media.transport.peer import Peer
from meet.media.transport.udpmux import UdpMux

TARGET_US = 15.0


def floor(packets: int = 20_000) -> float:
    """Microseconds of CPU for pylibsrtp protect plus sendto of one 1200-byte packet, nothing else."""
    sink = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sink.bind(("127.0.0.1", 0))
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    address = sink.getsockname()
    srtp = session()
    raw = [b"\x80\x60" + (i & 0xFFFF).to_bytes(2, "big") + bytes(4) + b"\0\0\0\1" + bytes(1188) for i in range(packets)]
    begin = time.process_time()
    for packet in raw:
        sock.sendto(srtp.protect(packet), address)
    spent = time.process_time() - begin
    sock.close()
    sink.close()
    return spent / packets * 1e6


def _build(mux: UdpMux, publishers: int, subscribers: int, ports: list[int]) -> list[Peer]:
    certificate = Certificate()
    sock = mux._sockets[0]
    sinks = []
    for index in range(subscribers):
        peer = Peer(mux, certificate, f"subscriber {index}")
        peer.tx, peer.connected = session(), True
        peer.path = Path(sock, ("127.0.0.1", ports[0]))
        sinks.append(peer)
    sources = []
    for index in range(publishers):
        peer = Peer(mux, certificate, f"publisher {index}")
        peer.rx, peer.twcc_id = session(receive=True), 4
        mux.attach(peer, ("127.0.0.1", ports[1 + index]))
        for kind, ssrc, codec, rate in (("video", 1000, "VP8", 90000), ("audio", 2000, "opus", 48000)):
            track = Track(peer, sid=f"TR{index}", kind=kind, codec=codec, cname="c", clock_rate=rate)
            stream = track.bind(ssrc + index, "")
            peer.handlers[ssrc + index] = stream.on_rtp
            for sink in sinks:
                down = DownTrack(
                    track, sink, pt=96, rtx_pt=97, abs_send_time_id=2 if kind == "video" else None, clock=mux.clock
                )
                down.enabled = True
                down.choose()
        sources.append(peer)
    return sources


async def measure(publishers: int, subscribers: int, seconds: float) -> tuple[float, float, int, int, float]:
    """(us per forwarded packet, packets per second, forwarded, arrived, worst loop lag in ms)."""
    mux = UdpMux("127.0.0.1", 0)
    mux.start()
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bench.sfu.generator",
        str(mux.port),
        str(publishers),
        str(seconds),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert child.stdin is not None and child.stdout is not None
    ports = [int(p) for p in (await child.stdout.readline()).split()]
    sources = _build(mux, publishers, subscribers, ports)
    gc.collect()
    gc.freeze()
    child.stdin.write(b"go\n")
    await asyncio.sleep(1.0)
    sent, cpu, wall = mux.sent, time.process_time(), time.monotonic()
    lag = 0.0
    while time.monotonic() - wall < seconds - 1.5:
        before = time.monotonic()
        await asyncio.sleep(0.05)
        lag = max(lag, time.monotonic() - before - 0.05)
        for peer in sources:
            for packet in peer.twcc.flush(1):
                del packet
    cpu, wall, sent = time.process_time() - cpu, time.monotonic() - wall, mux.sent - sent
    _, arrived = (int(n) for n in (await child.stdout.readline()).split())
    await child.wait()
    total = mux.sent
    mux.close()
    return cpu / max(1, sent) * 1e6, sent / wall, total, arrived, lag * 1e3


def main() -> None:
    parser = argparse.ArgumentParser(description="CPU per forwarded packet of the embedded SFU")
    parser.add_argument("--publishers", type=int, default=16)
    parser.add_argument("--subscribers", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=8.0)
    arguments = parser.parse_args()
    bare = min(floor() for _ in range(3))
    cost, rate, forwarded, arrived, lag = uvloop.run(
        measure(arguments.publishers, arguments.subscribers, arguments.seconds)
    )
    print(f"sources x subscribers   {arguments.publishers} x {arguments.subscribers}")
    print(
        f"forwarded               {rate:,.0f} packets/s, {arrived} of {forwarded} arrived, worst loop lag {lag:.0f} ms"
    )
    print(f"bare protect + sendto   {bare:.1f} us CPU per packet")
    print(f"embedded SFU            {cost:.1f} us CPU per forwarded packet (target {TARGET_US:.0f})")
    print(f"ratio                   {cost / bare:.2f}")


if __name__ == "__main__":
    main()
