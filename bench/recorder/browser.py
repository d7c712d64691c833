"""`python -m bench.recorder.browser [--seconds 20] [--rounds 3]`: our recorder in a meeting beside a browser on film.

Four people, encoded beforehand, meet on a server of ours. In turns, the meeting is recorded live, recorded to be
composed later, and shown by Chromium on Xvfb while ffmpeg films the screen with the same size and encoder settings;
best of the rounds in which no picture of anybody was lost or left out. What each needs from the media server (to be one
more subscriber) is the same and counted for none; of ours everything else is counted: ICE, SRTP, order, journal with
fsync, decoding, composition, sound, file, link and heartbeat.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from bench.recorder import clips  # noqa: E402
from bench.recorder.cli import kbps  # noqa: E402
from bench.recorder.people import Clip, Guest  # noqa: E402
from bench.recorder.run import line  # noqa: E402
from bench.recorder.viewer import filming  # noqa: E402
from meet.demo.api import Api  # noqa: E402
from meet.demo.server import Server  # noqa: E402
from meet.recorder.composer.profile import PRESETS, Profile  # noqa: E402

PEOPLE = 4
_SETTLE_S = 5.0
_LEAVE_S = 30.0
_CLIP_S = 4
_WHOLE = 0.95
"""Of the cameras' pictures; rounds in which the recorder or the browser left out more do not count."""


@dataclass(frozen=True)
class Span:
    """What processes used of one core in a stretch of time.

    parts: of which, by thread; rss: bytes at its ends; fps: new pictures of everybody per second; losses: of pictures
    on the way."""

    cores: float
    parts: tuple[float, ...]
    rss: tuple[int, int]
    fps: float = 0.0
    losses: int = 0


def _usage(processes: Iterable[psutil.Process]) -> tuple[float, dict[int, float], int]:
    """CPU seconds of the processes and their children, of the first one's threads, and resident bytes of all."""
    family = []
    for process in processes:
        family += [process, *process.children(recursive=True)]
    seconds, rss = 0.0, 0
    for member in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            times = member.cpu_times()
            seconds, rss = seconds + times.user + times.system, rss + member.memory_info().rss
    return seconds, {t.id: t.user_time + t.system_time for t in family[0].threads()}, rss


async def measure(processes: list[psutil.Process], seconds: float) -> Span:
    """One stretch; parts are the first thread, the busiest other one and the rest."""
    await asyncio.sleep(_SETTLE_S)
    clock = asyncio.get_running_loop().time
    begun, before = clock(), _usage(processes)
    await asyncio.sleep(seconds)
    after, lasted = _usage(processes), clock() - begun
    threads = {number: (used - before[1].get(number, 0.0)) / lasted for number, used in after[1].items()}
    first = threads.pop(processes[0].pid, 0.0)
    others = sorted(threads.values(), reverse=True)
    return Span((after[0] - before[0]) / lasted, (first, sum(others[:1]), sum(others[1:])), (before[2], after[2]))


async def recorded(server: Server, api: Api, room_id: str, compose: str, seconds: float) -> Span:
    """Our recorder, composing live or after."""
    body = {"roomId": room_id, "compose": compose}
    recording: dict[str, Any] = await api.call("POST", "/api/extra/v1/recordings", body)
    recording_id = recording["recordingId"]
    title = f"meet recorder {recording_id}"
    found = [p for p in psutil.Process(server.pid).children(recursive=True) if title in " ".join(p.cmdline())]
    span = await measure(found[:1], seconds)
    await api.stop_recording(recording_id)
    done = await api.wait_for(recording_id, "complete", "failed", "aborted", timeout_s=300)
    if done["status"] != "complete":
        raise RuntimeError(f"the recording is {done['status']}: {done.get('error')}")
    known = await api.call("GET", f"/api/extra/v1/recordings/{recording_id}")
    facts = known["integrity"]
    fresh = (facts["frames"] - facts["framesRepeated"]) / facts["duration"]
    span = replace(span, fps=fresh, losses=facts["videoGaps"])
    rate = facts["size"] * 8 / facts["duration"] / 1000
    print(f"  recorder, composing {compose}: {span.cores * 1000:.0f} ms/s; {span.fps:.1f} fps, {rate:.0f} kbit/s")
    return span


async def filmed(url: str, token: str, profile: Profile, seconds: float, guest: Guest) -> Span:
    """The browser and the camera before its screen; over when nobody but the guests is in the meeting."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "screen.mp4"
        async with filming(url, token, PEOPLE, profile, path) as film:
            span = await measure(film.processes, seconds)
            span = replace(span, fps=film.fps(PEOPLE))
            film.leaving = True
            await alone(guest)
        print(f"  browser and x11grab: {span.cores * 1000:.0f} ms/s; {span.fps:.1f} fps, {kbps(path):.0f} kbit/s")
    return span


async def alone(guest: Guest) -> None:
    """Wait until only the guests are left: somebody more would make everybody's tile smaller. Raises TimeoutError."""
    async with asyncio.timeout(_LEAVE_S):
        while len(guest.others) != PEOPLE - 1:
            await asyncio.sleep(0.1)


async def compare(profile: Profile, encoding: str, seconds: float, rounds: int) -> dict[str, list[Span]]:
    """Everybody's spans, in turns."""
    shows = [await asyncio.to_thread(Clip.of, _CLIP_S, seed) for seed in range(PEOPLE)]
    spans: dict[str, list[Span]] = {"live": [], "after": [], "browser": []}
    async with contextlib.AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="meet-bench-"))
        server = await stack.enter_async_context(Server(Path(folder) / "data"))
        api = await stack.enter_async_context(Api(server.url, server.api_key))
        room = await api.create_room("Bench", config={"recording": {"enabled": True, "encoding": encoding}})
        guests = [
            await stack.enter_async_context(Guest(*await api.join_token(room, f"Participant {number}"), clip))
            for number, clip in enumerate(shows)
        ]
        await alone(guests[0])
        await asyncio.sleep(_SETTLE_S)
        for number in range(rounds):
            print(f"round {number + 1}, load {os.getloadavg()[0]:.1f}")
            for compose in ("live", "after"):
                spans[compose].append(await recorded(server, api, room["roomId"], compose, seconds))
            url, token = await api.join_token(room, "Viewer")
            spans["browser"].append(await filmed(url, token, profile, seconds, guests[0]))
        print(f"key frames that somebody waited for: {sum(guest.asked for guest in guests)}")
    return spans


def report(spans: dict[str, list[Span]], fps: float) -> bool:
    """The best of every kind, and the ratios; False when the machine was too busy to show who needs what."""
    whole = {kind: [s for s in found if s.fps >= _WHOLE * fps and not s.losses] for kind, found in spans.items()}
    if not all(whole.values()):
        print("pictures were left out in every round: this machine is too busy to compare")
        return False
    best = {kind: min(found, key=lambda span: span.cores) for kind, found in whole.items()}
    live, after, browser = best["live"], best["after"], best["browser"]
    loop, composer, rest = (part * 1000 for part in live.parts)
    print(f"{'recorder, live':26} {live.cores * 1000:7.1f} ms CPU per second")
    print(f"{'  composer':26} {composer:7.1f}")
    print(f"{'  ICE, SRTP, order, link':26} {loop:7.1f}")
    print(f"{'  journal and others':26} {rest:7.1f}")
    print(f"{'recorder, composing later':26} {after.cores * 1000:7.1f}")
    print(f"{'browser, Xvfb, x11grab':26} {browser.cores * 1000:7.1f}")
    for kind, found in spans.items():
        sizes = ", ".join(f"{span.rss[0] >> 20} to {span.rss[1] >> 20}" for span in found)
        print(f"{'MB resident, ' + kind:26} {sizes}")
    line("recorder / browser", live.cores / browser.cores, 0.55)
    line("recorder composing later / browser", after.cores / browser.cores, 0.05)
    return True


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--encoding", default="H264_720P_30", choices=sorted(PRESETS))
    options = parser.parse_args()
    os.environ["MEET_RATE_LIMITS"] = "false"
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: take the processes along
    profile = Profile.of(options.encoding)
    spans = asyncio.run(compare(profile, options.encoding, options.seconds, options.rounds))
    return 0 if report(spans, min(float(profile.fps), clips.FPS)) else 1


if __name__ == "__main__":
    sys.exit(main())
