"""A meeting under fire: `kill -9` of whatever a seed chooses, whenever it chooses, and what came out of it."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sqlite3
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import aiohttp
import psutil

from meet.config import Settings
from meet.demo.api import Api, ApiError
from meet.demo.server import Server
from meet.supervisor.run import claim_ports
from tests.faults.counter import Counter, numbers_in
from tests.faults.judge import Kill, Outcome, gaps
from tests.faults.starved import Starved

ENCODING: Final = {
    "video": {
        "width": 320,
        "height": 180,
        "framerate": 15,
        "codec": "H264_MAIN",
        "bitrate": 500,
        "keyFrameInterval": 2,
        "depth": 24,
    },
    "audio": {"codec": "AAC", "bitrate": 64, "frequency": 48000},
}
"""Small, so that twenty recoveries do not cost more CPU than the kills themselves."""
TITLES: Final = {
    "recorder": "meet recorder ",
    "media": "meet media worker ",
    "drain": "meet media worker ",
    "front": "meet media front",
    "backend": "meet backend",
}
"""`media` is the worker with the meeting; `drain` asks it to give the meeting away."""
MEDIA_PROCESSES: Final = 2
"""So that there is a front to be killed, and a worker to take over from one that is drained."""
_LOOK_S: Final = 0.4
FINAL: Final = ("complete", "failed", "aborted", "limit_reached")
AWAY: Final = (aiohttp.ClientError, ConnectionError, TimeoutError)
_UNAVAILABLE: Final = (429, 500, 502, 503, 504)


def fixed_ports() -> tuple[str, ...]:
    """Options for ports that stay the same over restarts, so that clients find the server again."""
    free = claim_ports(Settings.load(port=0, livekit_port=0, rtc_port=0, media_processes=MEDIA_PROCESSES))
    chosen = (("--port", free.port), ("--livekit-port", free.livekit_port), ("--rtc-port", free.rtc_port))
    return tuple(str(word) for option in chosen for word in option)


def pid_of(server: Server, victim: str) -> int | None:
    """Process id of a running victim; of several the one that has done most in the last moments."""
    try:
        children = psutil.Process(server.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return None
    found = []
    for child in children:
        try:
            title = " ".join(child.cmdline()).strip()
            if title.startswith(TITLES[victim]) and "standby" not in title:
                found.append((child, child.cpu_times().user))
        except psutil.NoSuchProcess:
            continue
    if len(found) < 2 or victim == "recorder":
        return found[0][0].pid if found else None
    time.sleep(_LOOK_S)
    try:
        return max(found, key=lambda one: one[0].cpu_times().user - one[1])[0].pid
    except psutil.NoSuchProcess:
        return None


async def kill(server: Server, victim: str, now: Any, *, patience_s: float = 30.0) -> Kill | None:
    """SIGKILL, as soon as the victim is there; None when it never is."""
    if victim == "all":
        at = now()
        children = psutil.Process(server.pid).children(recursive=True)
        await server.kill()
        await asyncio.to_thread(psutil.wait_procs, children, 60)  # they die with it, but have its ports until then
        await server.start()
        return Kill(at, victim)
    deadline = time.monotonic() + patience_s
    while (pid := pid_of(server, victim)) is None:
        if time.monotonic() > deadline:
            return None
        await asyncio.sleep(0.02)
    at = now()
    os.kill(pid, signal.SIGTERM if victim == "drain" else signal.SIGKILL)
    return Kill(at, victim)


async def insist(work: Any, *, timeout_s: float = 60.0, settled: Sequence[int] = ()) -> Any:
    """The result of `work()`, asked again while the server is away; None for an error status in `settled`."""
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            return await work()
        except ApiError as error:
            if error.status in settled:
                return None
            if error.status not in _UNAVAILABLE or time.monotonic() > deadline:
                raise
        except AWAY:
            if time.monotonic() > deadline:
                raise
        await asyncio.sleep(0.1)


async def run(
    server: Server,
    directory: Path,
    rng: random.Random,
    victims: Sequence[str],
    *,
    spacing_s: tuple[float, float],
    late_victims: Sequence[str] = (),
    name: str = "Fire",
) -> Outcome:
    """Record one meeting while `victims` die one after the other, and `late_victims` once it has been stopped."""
    kills: list[Kill] = []

    async def shoot(victim: str) -> None:
        done = await kill(server, victim, publisher.now)
        if done is not None:
            kills.append(done)

    async with Api(server.url, server.api_key) as api:
        room = await insist(lambda: api.create_room(name))
        url, token = await insist(lambda: api.join_token(room, "Ada"))
        publisher = Counter(url, token, epoch=time.monotonic())
        async with Starved(server, publisher.now).watching() as starved, publisher:
            recording = await insist(
                lambda: api.start_recording(room["roomId"], encoding=ENCODING), settled=(409,)
            ) or await _only(api, room["roomId"])
            started = publisher.now()
            await asyncio.sleep(1.0)
            for victim in victims:
                await asyncio.sleep(rng.uniform(*spacing_s))
                await shoot(victim)
            await asyncio.sleep(0.5)
            await publisher.online(2.5, patience_s=20.0)
            await insist(lambda: api.stop_recording(recording["recordingId"]), settled=(409,))
            stopped = publisher.now()
            for victim in late_victims:
                await asyncio.sleep(rng.uniform(0.0, 0.6))
                if victim != "recorder" or pid_of(server, victim) is not None:
                    await shoot(victim)
        identifier = recording["recordingId"]
        done = await insist(lambda: api.wait_for(identifier, *FINAL, timeout_s=90))
        mine = await insist(lambda: api.call("GET", f"/api/v1/recordings?roomId={room['roomId']}"))
        path = directory / f"{identifier}.mp4"
        if done["status"] == "complete":
            await insist(lambda: api.download(identifier, path, lambda *_: None))
        locks = await _locks_left(server.data_dir)
    numbers, length_s = numbers_in(path) if path.exists() else ([0], 0.0)
    outcome = Outcome(
        done,
        kills,
        gaps(numbers, kills, publisher.offline, stopped, partial(starved.seconds, identifier)),
        recordings=len(mine["recordings"]),
        files=len(list((server.data_dir / "storage").rglob(f"{room['roomId']}--*.mp4"))),
        locks=locks,
        journals=len(list((server.data_dir / "spool").glob(f"{done['recordingId'].split('--')[1]}/journal/*"))),
        length_s=length_s,
        asked_s=stopped - started,
    )
    if numbers != sorted(numbers):
        outcome.problems.append("pictures out of order")
    return outcome


async def _only(api: Api, room_id: str) -> dict[str, Any]:
    """The one recording that a start, whose answer was lost, made."""
    (found,) = (await insist(lambda: api.call("GET", f"/api/v1/recordings?roomId={room_id}")))["recordings"]
    recording: dict[str, Any] = found
    return recording


async def _locks_left(data_dir: Path, patience_s: float = 30.0) -> int:
    """Rows in the table of locks, once they have had the time to go."""
    deadline = time.monotonic() + patience_s
    while True:
        with sqlite3.connect(f"file:{data_dir / 'meet.db'}?mode=ro", uri=True) as database:
            (count,) = database.execute("SELECT count(*) FROM recording_locks").fetchone()
        if count == 0 or time.monotonic() > deadline:
            return int(count)
        await asyncio.sleep(0.2)
