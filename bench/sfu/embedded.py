"""The embedded SFU under load, one kind per process: `python -m bench.sfu.embedded --kind native`. Prints JSON."""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import sys
import time

import uvloop

from bench.sfu.load import WARM_UP_S, percentiles
from bench.sfu.srtp import session
from meet.media.fastpath.native import Outbox, load
from meet.media.sfu.downtrack import DownTrack
from meet.media.sfu.track import Track
from meet.media.transport.aiortc_adapter import Certificate
from meet.media.transport.ice_lite import Path
from meet.media.transport.peer import Peer
from meet.media.transport.udpmux import UdpMux

KINDS = ("python", "sendmmsg", "native")
_SAMPLE_S = 0.01
_TWCC_S = 0.05


def open_mux(kind: str) -> UdpMux:
    """A mux that forwards by Python, or by compiled code with or without segmentation. Raises SystemExit."""
    if kind == "python":
        return UdpMux("127.0.0.1", 0)
    module, reason = load()
    if module is None:
        raise SystemExit(f"no compiled fast path: {reason}")
    return UdpMux("127.0.0.1", 0, outbox=Outbox(module, segments=kind == "native"))


def build(mux: UdpMux, publishers: int, subscribers: int, ports: list[int]) -> list[Peer]:
    """Publishers and subscribers that need no handshake, everyone subscribed to all. Returns the publishers.

    ports: on loopback, the subscribers' first.
    """
    certificate = Certificate()
    sock = mux._sockets[0]
    sinks = []
    for index in range(subscribers):
        peer = Peer(mux, certificate, f"subscriber {index}")
        peer.tx, peer.connected = session(), True
        peer.path = Path(sock, ("127.0.0.1", ports[index]))
        sinks.append(peer)
    sources = []
    for index in range(publishers):
        peer = Peer(mux, certificate, f"publisher {index}")
        peer.rx, peer.twcc_id = session(receive=True), 4
        mux.attach(peer, ("127.0.0.1", ports[subscribers + index]))
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


async def measure(kind: str, publishers: int, subscribers: int, seconds: float) -> dict[str, object]:
    mux = open_mux(kind)
    mux.start()
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.sfu.generator"),
        *(str(mux.port), str(publishers), str(subscribers), str(seconds)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert child.stdin is not None
    assert child.stdout is not None
    ports = [int(port) for port in (await child.stdout.readline()).split()]
    sources = build(mux, publishers, subscribers, ports)
    gc.collect()
    gc.freeze()
    child.stdin.write(b"go\n")
    await asyncio.sleep(WARM_UP_S)
    sent, cpu, wall = mux.sent, time.process_time(), time.monotonic()
    lags: list[float] = []
    flushed = wall
    while (before := time.monotonic()) - wall < seconds - WARM_UP_S - 0.5:
        await asyncio.sleep(_SAMPLE_S)
        now = time.monotonic()
        lags.append((now - before - _SAMPLE_S) * 1e3)
        if now - flushed >= _TWCC_S:
            flushed = now
            for peer in sources:
                peer.twcc.flush(1)
    cpu, wall, sent = time.process_time() - cpu, time.monotonic() - wall, mux.sent - sent
    told = json.loads(await child.stdout.readline())
    await child.wait()
    forwarded, dropped = mux.sent, mux.dropped
    mux.close()
    return {
        "cpu_us": cpu / max(1, sent) * 1e6,
        "rate": sent / wall,
        "core": cpu / wall,
        "expected": told["sent"] * subscribers,
        "forwarded": forwarded,
        "dropped": dropped,
        "arrived": told["arrived"],
        "lag_ms": percentiles(lags),
        "delay_ms": told["delay"],
        "late_ms": told["late"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kind", choices=KINDS, default="native")
    parser.add_argument("--publishers", type=int, default=16)
    parser.add_argument("--subscribers", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=8.0)
    arguments = parser.parse_args()
    result = uvloop.run(measure(arguments.kind, arguments.publishers, arguments.subscribers, arguments.seconds))
    print(json.dumps(result))


if __name__ == "__main__":
    main()
