"""The attacked process: a media server that answers every line on stdin with its loop lag and its tables as JSON."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import time

import psutil
import structlog
import uvloop

from meet.media.gateway import refusals
from meet.media.main import GC_THRESHOLDS, MediaConfig, MediaServer
from meet.media.transport import waiting
from meet.process import freeze
from tests.unit.media.gateway.client import KEY, SECRET

_STEP_S = 0.005


async def lag(found: list[float]) -> None:
    clock = asyncio.get_running_loop().time
    while True:
        before = clock()
        await asyncio.sleep(_STEP_S)
        found.append(clock() - before - _STEP_S)


async def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    for module in (refusals, waiting):  # the attackers have only loopback addresses, which are not limited
        vars(module)["source"] = lambda host: host or ""
    server = MediaServer(MediaConfig(keys={KEY: SECRET}, port=0, rtc_host="127.0.0.1", rtc_port=0))
    await server.start()
    freeze(*GC_THRESHOLDS)
    found: list[float] = []
    watching = asyncio.create_task(lag(found))
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    print(server.port, server.rtc_port, flush=True)
    process, mux = psutil.Process(), server.mux
    since, used = time.monotonic(), time.process_time()
    while await reader.readline():
        lags = sorted(found) or [0.0]
        found.clear()
        tables = {
            "addresses": len(mux._by_address),
            "ufrags": len(mux._by_ufrag),
            "sessions": len(server.gateway.pulse.sessions),
            "tcp": mux.tcp_connections,
        }
        report = {
            "p99_ms": round(lags[int(len(lags) * 0.99)] * 1000, 1),
            "worst_ms": round(lags[-1] * 1000, 1),
            "cpu": round((time.process_time() - used) / (time.monotonic() - since), 2),
            "rss_mib": process.memory_info().rss >> 20,
            "files": process.num_fds(),
            "received": mux.received,
            **tables,
        }
        since, used = time.monotonic(), time.process_time()
        print(json.dumps(report), flush=True)
    watching.cancel()
    await server.stop()


if __name__ == "__main__":
    uvloop.run(main())
