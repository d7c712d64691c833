"""The leanest browser recorder: Chromium on Xvfb shows the meeting in a bare page, ffmpeg films the screen.

It plays into a PulseAudio null sink, whose monitor ffmpeg encodes with the picture. Left out, in its favour: nothing
watches over the processes, and what they have not written when one of them dies is lost.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

import psutil
from aiohttp import web

from bench.recorder.cli import aac, x264
from meet.recorder.composer.profile import Profile
from tests.support.processes import running

_HERE = Path(__file__).parent
_CLIENT = _HERE.parents[1] / "web/node_modules/livekit-client/dist/livekit-client.umd.js"
_FLAGS = (
    *("--no-sandbox", "--no-first-run", "--disable-gpu", "--disable-extensions", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--disable-default-apps", "--disable-breakpad"),
    *(
        "--autoplay-policy=no-user-gesture-required",
        "--kiosk",
        "--window-position=0,0",
        "--force-device-scale-factor=1",
    ),
)


@dataclass
class Film:
    """The processes, and how many pictures of each participant they show per second."""

    processes: list[psutil.Process]
    shown: list[tuple[float, int]] = field(default_factory=list)
    leaving: bool = False
    """Set to have the page leave the meeting: one that is just killed stays in the picture for a while."""

    def fps(self, people: int) -> float:
        """Of the newest half of what the page told: the browser has settled by then."""
        told = self.shown[len(self.shown) // 2 :]
        if len(told) < 2:
            return 0.0
        return (told[-1][1] - told[0][1]) / (told[-1][0] - told[0][0]) * 1000 / people


class NotShown(Exception):
    """The page did not show all participants."""


@contextlib.asynccontextmanager
async def filming(url: str, token: str, people: int, profile: Profile, to: Path) -> AsyncIterator[Film]:
    """A browser in the meeting whose screen is recorded into `to`. Raises NotShown."""
    playing = asyncio.Semaphore(0)

    async def on_playing(_: web.Request) -> web.Response:
        playing.release()
        return web.Response()

    async def on_shown(request: web.Request) -> web.Response:
        at, count = (await request.text()).split()
        film.shown.append((float(at), int(count)))
        return web.Response(text="leave" if film.leaving else "")

    film = Film([])
    app = web.Application()
    app.router.add_post("/shown", on_shown)
    app.router.add_get("/", _file(_HERE / "viewer.html", "text/html"))
    app.router.add_get("/livekit-client.js", _file(_CLIENT, "text/javascript"))
    app.router.add_post("/playing", on_playing)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    page = f"http://127.0.0.1:{runner.addresses[0][1]}/#{urlencode({'url': url, 'token': token})}"
    size = f"{profile.width}x{profile.height}"
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(runner.cleanup)
        home = stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True))
        read, write = os.pipe()
        screen = await stack.enter_async_context(
            running("Xvfb", "-displayfd", str(write), "-screen", "0", f"{size}x24", "-nolisten", "tcp", fds=(write,))
        )
        os.close(write)
        with os.fdopen(read) as answer:
            display = f":{(await asyncio.to_thread(answer.readline)).strip()}"
        width, height = str(profile.width), str(profile.height)
        env = {**os.environ, "DISPLAY": display, "HOME": home, "PULSE_SERVER": f"unix:{home}/pulse"}
        sound = await stack.enter_async_context(
            running(
                *("pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no"),
                *("-L", "module-null-sink sink_name=meeting"),
                *("-L", f"module-native-protocol-unix auth-anonymous=1 socket={home}/pulse"),
                env=env,
            )
        )
        browser = await stack.enter_async_context(
            running(
                *("chromium", *_FLAGS, f"--window-size={width},{height}", f"--user-data-dir={home}", f"--app={page}"),
                env=env,
            )
        )
        try:
            async with asyncio.timeout(60):
                for _ in range(people):
                    await playing.acquire()
        except TimeoutError:
            raise NotShown(f"fewer than {people} people are seen") from None
        camera = await stack.enter_async_context(
            running(
                *("ffmpeg", "-v", "error", "-y", "-f", "x11grab", "-draw_mouse", "0", "-framerate", str(profile.fps)),
                *("-video_size", size, "-i", display, "-f", "pulse", "-i", "meeting.monitor"),
                *(*x264(profile), *aac(), str(to)),
                env=env,
            )
        )
        film.processes = [psutil.Process(process.pid) for process in (screen, sound, browser, camera)]
        yield film


def _file(path: Path, kind: str) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def serve(_: web.Request) -> web.Response:
        return web.Response(body=path.read_bytes(), content_type=kind)

    return serve
