"""Asks the supervisor for a recorder process, and how they fare (`run/supervisor.sock`, one JSON line each way)."""

from __future__ import annotations

import asyncio
import errno
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

_TIMEOUT_S: Final = 5.0
_QUICK_S: Final = 1.0
RESTARTS: Final = ("died", "hung", "not_started")
"""Why a recorder process was replaced; `not_started`: there was no process to be had, and it is tried again."""


class SupervisorRefused(Exception):
    """The supervisor cannot be reached, or will not do it. exhausted: this process has no descriptor left to ask."""

    exhausted = False


async def start_recorder(socket: Path, egress_id: str) -> None:
    """Have the recorder of this spool entry started. Raises SupervisorRefused."""
    await _ask(socket, {"op": "start_recorder", "egress_id": egress_id}, _TIMEOUT_S)


async def recorder_restarts(socket: Path) -> Mapping[str, int]:
    """How many recorder processes were replaced since the server's start, by `RESTARTS`. Raises SupervisorRefused."""
    restarts = (await _ask(socket, {"op": "recorder_restarts"}, _QUICK_S)).get("restarts")
    if not isinstance(restarts, dict):
        raise SupervisorRefused("the supervisor's answer makes no sense")
    return {name: count for name, count in restarts.items() if isinstance(count, int)}


async def _ask(socket: Path, request: Mapping[str, str], timeout_s: float) -> dict[str, Any]:
    try:
        async with asyncio.timeout(timeout_s):
            reader, writer = await asyncio.open_unix_connection(socket)
            try:
                writer.write(json.dumps(request).encode() + b"\n")
                await writer.drain()
                answer = json.loads(await reader.readline())
            finally:
                writer.close()
    except TimeoutError:
        raise SupervisorRefused("the supervisor does not answer") from None
    except OSError as error:
        refused = SupervisorRefused(f"the supervisor cannot be reached: {error.strerror or error}")
        refused.exhausted = error.errno in (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS)
        raise refused from error
    except ValueError as error:
        raise SupervisorRefused("the supervisor's answer makes no sense") from error
    if not isinstance(answer, dict) or answer.get("ok") is not True:
        reason = answer.get("error") if isinstance(answer, dict) else None
        raise SupervisorRefused(str(reason or "the supervisor refused"))
    return answer
