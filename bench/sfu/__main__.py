"""Run everything in turns and print the table. Options: publishers, subscribers, seconds, rounds."""

from __future__ import annotations

import argparse
import datetime
import json
import os
import socket
import subprocess
import sys
import time
from typing import Any

from bench.sfu.srtp import session

ROWS = {
    "python": ("bench.sfu.embedded", "--kind", "python"),
    "sendmmsg": ("bench.sfu.embedded", "--kind", "sendmmsg"),
    "native": ("bench.sfu.embedded", "--kind", "native"),
    "janus": ("bench.sfu.janus",),
}
NAMES = {
    "python": "embedded, pure Python",
    "sendmmsg": "embedded, compiled, no GSO",
    "native": "embedded, compiled",
    "janus": "janus, video room",
}
TARGETS_US = {"python": 11.0, "native": 5.0}
_TIMEOUT_S = 180


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


def _run(command: tuple[str, ...], options: list[str]) -> dict[str, Any] | str:
    """One measurement, or why there is none."""
    done = subprocess.run(
        [sys.executable, "-m", *command, *options], capture_output=True, text=True, timeout=_TIMEOUT_S, check=False
    )
    if done.returncode:
        return (done.stderr.strip().splitlines() or ["failed"])[-1]
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def _rank(result: dict[str, Any]) -> tuple[bool, float]:
    return result["arrived"] < 0.99 * result["expected"], float(result["cpu_us"])


def _line(kind: str, results: list[dict[str, Any]]) -> str:
    """The round with the lowest cost, of those that carried the whole load if there are any.

    What other processes do at the time only ever adds to the cost.
    """
    best = min(results, key=_rank)
    lost = best["expected"] - best["arrived"]
    lag, delay, late = (
        "/".join(str(value) for value in best.get(name, ["-"])) for name in ("lag_ms", "delay_ms", "late_ms")
    )
    return (
        f"| {NAMES[kind]} | {best['cpu_us']:.1f} | {best['rate']:,.0f} | {best['core'] * 100:.0f} % "
        f"| {lost} of {best['expected']} | {lag} | {delay} | {late} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="CPU per forwarded packet of the embedded SFU, beside janus")
    parser.add_argument("--publishers", type=int, default=16)
    parser.add_argument("--subscribers", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--rounds", type=int, default=2)
    arguments = parser.parse_args()
    options = [f"--{name}={getattr(arguments, name)}" for name in ("publishers", "subscribers", "seconds")]
    results: dict[str, list[dict[str, Any]]] = {kind: [] for kind in ROWS}
    reasons: dict[str, str] = {}
    bare = floor()
    for _ in range(arguments.rounds):
        for kind, command in ROWS.items():
            found = _run(command, options)
            if isinstance(found, str):
                reasons[kind] = found
            else:
                results[kind].append(found)
        bare = min(bare, floor())
    load = "/".join(f"{value:.1f}" for value in os.getloadavg())
    print(
        f"{datetime.date.today()}, {arguments.publishers} publishers x {arguments.subscribers} subscribers, "
        f"{os.cpu_count()} cores, load average {load}"
    )
    print("times in ms are p50/p99/max; late: how far the sources were behind their plan")
    print("| | µs CPU per packet | packets/s | core | lost | loop lag | delay | late |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for kind, measured in results.items():
        print(_line(kind, measured) if measured else f"| {NAMES[kind]} | {reasons[kind]} | | | | | | |")
    print(f"bare protect + sendto from Python: {bare:.1f} µs")
    for kind, target in TARGETS_US.items():
        if results[kind]:
            cost = float(min(results[kind], key=_rank)["cpu_us"])
            print(f"{NAMES[kind]}: {cost:.1f} µs, target {target:.0f}, {cost / bare:.2f} of bare")


if __name__ == "__main__":
    main()
