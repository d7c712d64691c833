"""Programs that run beside a test or a measurement."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator


@contextlib.asynccontextmanager
async def running(
    *command: str, env: dict[str, str] | None = None, fds: tuple[int, ...] = ()
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process that is ended politely with the block; it inherits `fds`. Raises FileNotFoundError."""
    program = shutil.which(command[0])
    if program is None:
        raise FileNotFoundError(f"{command[0]} is not installed")
    process = await asyncio.create_subprocess_exec(
        *(program, *command[1:]),
        env=env,
        pass_fds=fds,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), 10)
            except TimeoutError:
                process.kill()
                await process.wait()
