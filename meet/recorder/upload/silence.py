"""A store that takes connections and then says nothing: its calls hope on for a minute and a half."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Final

WORTH_TELLING_S: Final = 10.0
"""A store that is away for a few seconds is nobody's business."""
_LOOK_S: Final = 1.0


@contextlib.asynccontextmanager
async def telling(progress: Path, tell: Callable[[str], None]) -> AsyncIterator[None]:
    """Around a call to the store: `tell` once, in words for people, when it has confirmed nothing for ten seconds.

    progress: where confirmed parts are noted."""
    watching = asyncio.create_task(_watch(progress, tell))
    try:
        yield
    finally:
        watching.cancel()


async def _watch(progress: Path, tell: Callable[[str], None]) -> None:
    began = time.time()
    while True:
        await asyncio.sleep(_LOOK_S)
        if time.time() - max(began, _noted_at(progress)) >= WORTH_TELLING_S:
            tell(f"the store has confirmed nothing for {WORTH_TELLING_S:g} s")
            return


def _noted_at(progress: Path) -> float:
    try:
        return progress.stat().st_mtime
    except OSError:
        return 0.0
