"""The supervisor's Unix socket: one JSON request a line, one JSON answer a line.

`{"op": "start_recorder", "egress_id": "EG_..."}` -> `{"ok": true}` or `{"ok": false, "error": "..."}`.
`{"op": "recorder_restarts"}` -> `{"ok": true, "restarts": {"died": 1}}`, recorder processes replaced, by reason.
`{"op": "drain_media", "worker": 0}` -> `{"ok": true, "pid": 4711}`, its former pid, when it was started afresh.
The socket lies in the data directory with mode 0600: whoever can open it owns the recordings anyway.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from meet.supervisor.child import Child
from meet.supervisor.recorders import Recorders


async def listen(path: Path, recorders: Recorders, workers: Sequence[Child] = ()) -> asyncio.Server:
    """Serve requests on `path` until the returned server is closed."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                writer.write(json.dumps(await handle(line, recorders, workers)).encode() + b"\n")
                await writer.drain()
        except (ConnectionError, ValueError):
            pass  # a peer that went away, or a line over the stream limit, ends its connection only
        finally:
            writer.close()

    path.unlink(missing_ok=True)
    server = await asyncio.start_unix_server(answer, path=path)
    path.chmod(0o600)
    return server


async def handle(line: bytes, recorders: Recorders, workers: Sequence[Child] = ()) -> dict[str, Any]:
    """Carry out one request line."""
    try:
        request = json.loads(line)
        match request.get("op"):
            case "start_recorder":
                await recorders.start(str(request["egress_id"]))
                return {"ok": True}
            case "recorder_restarts":
                return {"ok": True, "restarts": recorders.restarts}
            case "drain_media":
                return {"ok": True, "pid": await _drain(workers, int(request["worker"]))}
            case _:
                return {"ok": False, "error": "unknown operation"}
    except (ValueError, KeyError, AttributeError, OSError) as error:
        return {"ok": False, "error": str(error)}


async def _drain(workers: Sequence[Child], index: int) -> int:
    """End one worker in its own time and have it back. Raises ValueError for one that cannot be spared."""
    if len(workers) < 2:
        raise ValueError("there is one media process only, and nobody to take its meetings (MEET_MEDIA_PROCESSES)")
    if not 0 <= index < len(workers):
        raise ValueError(f"media workers are 0 to {len(workers) - 1}")
    return await workers[index].renew()
