"""A `meet serve` of one's own in a sub-process, with free ports: for the demo and for the end-to-end tests."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from meet import credentials
from meet.config import Settings


class ServerFailed(Exception):
    """The server ended, or did not become ready; the message ends with what it logged last."""


class Server:
    """A running server. `url` is its origin, `api_key` its key; the log is in `<data_dir>/server.log`."""

    def __init__(self, data_dir: Path, *, env: Mapping[str, str] | None = None, args: tuple[str, ...] = ()) -> None:
        self.data_dir = data_dir
        self.log_path = data_dir / "server.log"
        self.url = ""
        self._env = {**os.environ, **(env or {})}
        self._args = args
        self._process: asyncio.subprocess.Process | None = None

    @property
    def settings(self) -> Settings:
        """What the server runs with, as far as the data directory tells (credentials)."""
        return credentials.fill(Settings.load(data_dir=self.data_dir))

    @property
    def api_key(self) -> str:
        """The API key that the server generated or was given."""
        return self._env.get("MEET_INITIAL_API_KEY") or self.settings.initial_api_key

    @property
    def pid(self) -> int:
        """Process id of the supervisor."""
        if self._process is None:
            raise ServerFailed("the server has not been started")
        return self._process.pid

    async def start(self, timeout_s: float = 180.0) -> None:
        """Start and wait for the ready line. Raises ServerFailed."""
        self.data_dir.mkdir(parents=True, exist_ok=True)
        ports = ("--port", "0", "--livekit-port", "0", "--rtc-port", "0")
        with self.log_path.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "meet", "serve", "--data-dir", str(self.data_dir), *ports, *self._args),
                env=self._env,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
            )
        assert self._process.stdout is not None
        try:
            line = (await asyncio.wait_for(self._process.stdout.readline(), timeout_s)).decode()
        except TimeoutError:
            line = ""
        match = re.search(r"ready at (\S+)/ ", line)
        if match is None:
            await self.kill()
            raise ServerFailed(f"the server did not start: {self.log_path.read_text()[-2000:]}")
        self.url = match[1]

    async def stop(self, timeout_s: float = 60.0) -> int:
        """SIGTERM; the exit code."""
        return await self._signal(signal.SIGTERM, timeout_s)

    async def kill(self) -> int:
        """SIGKILL, children included (they die with their parent)."""
        return await self._signal(signal.SIGKILL, 60.0)

    async def _signal(self, number: signal.Signals, timeout_s: float) -> int:
        process = self._process
        if process is None:
            return 0
        if process.returncode is None:
            process.send_signal(number)
        return await asyncio.wait_for(process.wait(), timeout_s)

    async def __aenter__(self) -> Server:
        await self.start()
        return self

    async def __aexit__(self, *_: Any) -> None:
        try:
            await self.stop()
        except TimeoutError:
            await self.kill()
            raise
