"""Asks the supervisor for a recorder process (`run/supervisor.sock`, one JSON line each way)."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Final

_TIMEOUT_S: Final = 5.0


class SupervisorRefused(Exception):
    """The supervisor cannot be reached, or will not start the recorder."""


async def start_recorder(socket: Path, egress_id: str) -> None:
    """Have the recorder of this spool entry started. Raises SupervisorRefused."""
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            reader, writer = await asyncio.open_unix_connection(socket)
            try:
                writer.write(json.dumps({"op": "start_recorder", "egress_id": egress_id}).encode() + b"\n")
                await writer.drain()
                answer = json.loads(await reader.readline())
            finally:
                writer.close()
    except TimeoutError:
        raise SupervisorRefused("the supervisor does not answer") from None
    except OSError as error:
        raise SupervisorRefused(f"the supervisor cannot be reached: {error.strerror or error}") from error
    except ValueError as error:
        raise SupervisorRefused("the supervisor's answer makes no sense") from error
    if not isinstance(answer, dict) or answer.get("ok") is not True:
        reason = answer.get("error") if isinstance(answer, dict) else None
        raise SupervisorRefused(str(reason or "the supervisor refused"))
