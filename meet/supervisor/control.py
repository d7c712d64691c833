"""The supervisor's Unix socket: one JSON request a line, one JSON answer a line.

`{"op": "start_recorder", "egress_id": "EG_..."}` -> `{"ok": true}` or `{"ok": false, "error": "..."}`.
The socket lies in the data directory with mode 0600: whoever can open it owns the recordings anyway.
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from meet.supervisor.recorders import Recorders


async def listen(path: Path, recorders: Recorders) -> asyncio.Server:
    """Serve requests on `path` until the returned server is closed."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                writer.write(json.dumps(await handle(line, recorders)).encode() + b"\n")
                await writer.drain()
        except (ConnectionError, ValueError):
            pass  # a peer that went away, or a line over the stream limit, ends its connection only
        finally:
            writer.close()

    path.unlink(missing_ok=True)
    server = await asyncio.start_unix_server(answer, path=path)
    path.chmod(0o600)
    return server


async def handle(line: bytes, recorders: Recorders) -> dict[str, Any]:
    """Carry out one request line."""
    try:
        request = json.loads(line)
        if request.get("op") != "start_recorder":
            return {"ok": False, "error": "unknown operation"}
        await recorders.start(str(request["egress_id"]))
    except (ValueError, KeyError, AttributeError, OSError) as error:
        return {"ok": False, "error": str(error)}
    return {"ok": True}
