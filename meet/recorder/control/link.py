"""The control's end of `run/egress.sock`: newline JSON with every recorder, and its heartbeat."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any, Final, Protocol

import structlog

log = structlog.get_logger(__name__)

MAX_LINE: Final = 64 * 1024
SILENCE_S: Final = 15.0
"""A recorder sends a heartbeat every second; one that is silent for this long is cut off and may connect again."""


class RecorderLink:
    """One recorder's connection."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer

    def send(self, message: dict[str, Any]) -> None:
        """Queue a message; a recorder that does not read is cut off rather than waited for."""
        if self._writer.is_closing():
            return
        self._writer.write(json.dumps(message).encode() + b"\n")
        if self._writer.transport.get_write_buffer_size() > MAX_LINE:
            self._writer.transport.abort()

    def close(self) -> None:
        """Drop the connection."""
        self._writer.close()


class LinkOwner(Protocol):
    """Who is told what recorders say."""

    def recorder_connected(self, egress_id: str, link: RecorderLink) -> bool:
        """False: the recorder has no business here any more."""

    def recorder_reported(self, egress_id: str, link: RecorderLink, report: dict[str, Any]) -> None: ...

    def recorder_lost(self, egress_id: str, link: RecorderLink) -> None: ...


class LinkServer:
    """Listens on the socket until closed."""

    def __init__(self, path: Path, owner: LinkOwner, *, silence_s: float = SILENCE_S) -> None:
        self._path = path
        self._owner = owner
        self._silence_s = silence_s
        self._server: asyncio.Server | None = None
        self._links: set[RecorderLink] = set()

    async def open(self) -> None:
        """Bind the socket, mode 0600, replacing one that a dead process left."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._serve, path=self._path, limit=MAX_LINE)
        self._path.chmod(0o600)

    async def close(self) -> None:
        """Stop listening and drop every recorder; they connect again when somebody listens again."""
        if self._server is not None:
            self._server.close()
            for link in list(self._links):
                link.close()
            await self._server.wait_closed()
            self._server = None
            self._path.unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link, egress_id = RecorderLink(writer), ""
        self._links.add(link)
        try:
            hello = await self._next(reader)
            egress_id = str((hello or {}).get("egress_id") or "")
            if hello is None or hello.get("type") != "hello":
                log.warning("recorder_without_hello")
            elif self._owner.recorder_connected(egress_id, link):
                while (message := await self._next(reader)) is not None:
                    report = message.get("egress")
                    if message.get("type") == "status" and isinstance(report, dict):
                        self._owner.recorder_reported(egress_id, link, report)
            else:
                link.send({"type": "stop", "reason": "cancelled"})
                await writer.drain()
                await self._next(reader)  # leave it the time to read before the connection goes
        except (ConnectionError, ValueError) as error:
            log.warning("recorder_link_broken", egress_id=egress_id, error=type(error).__name__)
        except TimeoutError:
            log.warning("recorder_silent", egress_id=egress_id, seconds=self._silence_s)
        finally:
            self._links.discard(link)
            if egress_id:
                self._owner.recorder_lost(egress_id, link)
            writer.close()

    async def _next(self, reader: asyncio.StreamReader) -> dict[str, Any] | None:
        """The next message, or None at the end. Raises ValueError for junk and TimeoutError for silence."""
        async with asyncio.timeout(self._silence_s):
            line = await reader.readline()
        if not line:
            return None
        message = json.loads(line)
        if not isinstance(message, dict):
            raise ValueError("a message must be an object")
        return message
