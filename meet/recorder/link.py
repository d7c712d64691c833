"""The recorder's end of `run/egress.sock`: says where the recording stands, hears stop and layout changes.

The media process may be away for a while; recording goes on and the latest state is told when it is back.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import structlog

from meet.recorder.state import EgressState

log = structlog.get_logger(__name__)

_HEARTBEAT_S: Final = 1.0
_RETRY_S: Final = 0.3

OnCommand = Callable[[dict[str, Any]], None]


class ControlLink:
    """Keeps connecting until closed; `report` never blocks."""

    def __init__(self, path: Path, state: EgressState, on_command: OnCommand) -> None:
        self._path = path
        self._state = state
        self._on_command = on_command
        self._changed = asyncio.Event()
        self._told = asyncio.Event()
        self._task = asyncio.create_task(self._run())

    def report(self, state: EgressState) -> None:
        """Tell this state as soon as somebody listens; only the latest counts."""
        self._state = state
        self._told.clear()
        self._changed.set()

    async def close(self, linger_s: float) -> None:
        """Wait up to `linger_s` for the last state to be told, then hang up."""
        try:
            await asyncio.wait_for(self._told.wait(), linger_s)
        except TimeoutError:
            log.info("recorder_state_not_told", status=self._state.status)
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            try:
                reader, writer = await asyncio.open_unix_connection(self._path)
            except OSError:
                await asyncio.sleep(_RETRY_S)
                continue
            listening = asyncio.create_task(self._listen(reader))
            try:
                await self._send(writer, {"type": "hello", "egress_id": self._state.egress_id})
                await self._speak(writer, listening)
            except OSError:
                pass  # the media process went away; connect again
            finally:
                listening.cancel()
                await asyncio.gather(listening, return_exceptions=True)
                writer.close()
            await asyncio.sleep(_RETRY_S)

    async def _speak(self, writer: asyncio.StreamWriter, listening: asyncio.Task[None]) -> None:
        self._changed.set()
        while not listening.done():
            try:
                await asyncio.wait_for(self._changed.wait(), _HEARTBEAT_S)
            except TimeoutError:
                await self._send(writer, {"type": "heartbeat"})
                continue
            self._changed.clear()
            state = self._state
            await self._send(writer, {"type": "status", "egress": asdict(state)})
            if state is self._state:
                self._told.set()

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        while line := await reader.readline():
            try:
                command = json.loads(line)
            except ValueError:
                continue
            if isinstance(command, dict):
                self._on_command(command)

    @staticmethod
    async def _send(writer: asyncio.StreamWriter, message: dict[str, Any]) -> None:
        writer.write(json.dumps(message).encode() + b"\n")
        await writer.drain()
