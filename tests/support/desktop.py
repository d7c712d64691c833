"""A screen and a loudspeaker for browsers that need them: Xvfb, and PulseAudio with a null sink."""

from __future__ import annotations

import asyncio
import contextlib
import os
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

from tests.support.processes import running

PROGRAMS = ("Xvfb", "pulseaudio")
_START_S = 20.0


@contextlib.asynccontextmanager
async def desktop(size: str = "1280x800") -> AsyncIterator[dict[str, str]]:
    """The environment of programs that are to run on it. Raises FileNotFoundError when a program is missing."""
    async with contextlib.AsyncExitStack() as stack:
        home = stack.enter_context(tempfile.TemporaryDirectory(prefix="desktop-", ignore_cleanup_errors=True))
        read, write = os.pipe()
        await stack.enter_async_context(
            running("Xvfb", "-displayfd", str(write), "-screen", "0", f"{size}x24", "-nolisten", "tcp", fds=(write,))
        )
        os.close(write)
        with os.fdopen(read) as answer:
            display = f":{(await asyncio.to_thread(answer.readline)).strip()}"
        environment = {
            **os.environ,
            "DISPLAY": display,
            "HOME": home,
            "XDG_RUNTIME_DIR": home,
            "PULSE_SERVER": f"unix:{home}/speaker",
        }
        environment.pop("WAYLAND_DISPLAY", None)
        await stack.enter_async_context(
            running(
                *("pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no"),
                *("-L", "module-null-sink sink_name=speaker"),
                *("-L", f"module-native-protocol-unix auth-anonymous=1 socket={home}/speaker"),
                env=environment,
            )
        )
        async with asyncio.timeout(_START_S):
            while not Path(home, "speaker").exists():
                await asyncio.sleep(0.05)
        yield environment
