"""The load on the embedded SFU, in a process of its own.

argv: server port, publishers, subscribers, seconds. Prints its ports (subscribers' first), waits for a line, sends,
prints a JSON object: sent, arrived, delay, late.
"""

from __future__ import annotations

import json
import socket
import sys

from bench.sfu.load import Source, drive
from bench.sfu.srtp import session


def _socket() -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", 0))
    return sock


def main() -> None:
    port, publishers, subscribers, seconds = (float(value) for value in sys.argv[1:5])
    target = ("127.0.0.1", int(port))
    sources = [Source(_socket(), session(), target, 1000 + i, 2000 + i) for i in range(int(publishers))]
    sinks = [(_socket(), session(receive=True)) for _ in range(int(subscribers))]
    print(*(sock.getsockname()[1] for sock, _ in sinks), *(s.sock.getsockname()[1] for s in sources), flush=True)
    sys.stdin.readline()
    outcome = drive(sources, sinks, seconds)
    told = {"sent": outcome.sent, "arrived": outcome.arrived, "delay": outcome.delay, "late": outcome.late}
    print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
