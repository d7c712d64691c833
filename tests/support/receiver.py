"""A webhook receiver as integrations run one: a process of its own that verifies signatures the official way.

`python -m tests.support.receiver PORT KEY LOG` appends one JSON line per request to LOG. A file `LOG.slow` makes every
answer take that many seconds; `LOG.refuse` makes every answer a 503.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import sys
import time
from pathlib import Path
from typing import Any, Self

from aiohttp import web

_OLDEST_MS = 120_000


def serve(port: int, key: str, log: Path) -> None:
    """Until killed."""

    async def receive(request: web.Request) -> web.Response:
        body = await request.read()
        timestamp = request.headers.get("X-Timestamp", "")
        expected = hmac.new(key.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
        signed = hmac.compare_digest(request.headers.get("X-Signature", ""), expected)
        fresh = timestamp.isdigit() and abs(time.time() * 1000 - int(timestamp)) < _OLDEST_MS
        slow, refuse = Path(f"{log}.slow"), Path(f"{log}.refuse")
        if slow.exists():
            await asyncio.sleep(float(slow.read_text()))
        taken = signed and fresh and not refuse.exists()
        line = {
            "taken": taken,
            "signed": signed,
            "timestamp": timestamp,
            "delivery": request.headers.get("X-Delivery-Id"),
            "type": request.headers.get("Content-Type"),
            "text": body.decode(),
        }
        with log.open("a") as file:
            file.write(json.dumps(line) + "\n")
        return web.Response(status=200 if taken else 503)

    app = web.Application()
    app.router.add_post("/events", receive)
    web.run_app(app, host="127.0.0.1", port=port, print=lambda *_: print("listening", flush=True))


class Receiver:
    """The process, from the test's side. `async with Receiver(port, key, log): ...`; down and up as often as wanted."""

    def __init__(self, port: int, key: str, log: Path) -> None:
        self.url = f"http://127.0.0.1:{port}/events"
        self._port, self._key, self._log = port, key, log
        self._process: asyncio.subprocess.Process | None = None

    async def up(self) -> None:
        """Start it and wait until it listens."""
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.support.receiver", str(self._port), self._key, str(self._log)),
            cwd=Path(__file__).parents[2],
            stdout=asyncio.subprocess.PIPE,
        )
        assert self._process.stdout is not None
        assert await asyncio.wait_for(self._process.stdout.readline(), 60) == b"listening\n"

    async def down(self) -> None:
        """Kill it: connections are refused from now on."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    async def __aenter__(self) -> Self:
        await self.up()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.down()

    def behave(self, *, slow_s: float | None = None, refuse: bool = False) -> None:
        """How it answers from now on."""
        slow, refusing = Path(f"{self._log}.slow"), Path(f"{self._log}.refuse")
        slow.write_text(str(slow_s)) if slow_s is not None else slow.unlink(missing_ok=True)
        refusing.touch() if refuse else refusing.unlink(missing_ok=True)

    def requests(self) -> list[dict[str, Any]]:
        """Everything it was sent so far; `body` is the parsed JSON."""
        if not self._log.exists():
            return []
        whole = self._log.read_text().rpartition("\n")[0]  # it may be writing the next line
        lines = [json.loads(line) for line in whole.splitlines()]
        return [{**line, "body": json.loads(line["text"])} for line in lines]

    def events(self, subject: str | None = None) -> list[str]:
        """Names of the events it took, of one room or recording or of all, each delivery once."""
        taken = {line["delivery"]: line["body"] for line in self.requests() if line["taken"]}
        return [
            body["event"]
            for body in taken.values()
            if subject in (None, body["data"].get("recordingId", body["data"].get("roomId")))
        ]

    async def wait_for(self, subject: str, events: list[str], timeout_s: float = 60.0) -> None:
        """Until exactly these events of the room or recording have been taken, in this order."""
        deadline = time.monotonic() + timeout_s
        while self.events(subject) != events:
            assert time.monotonic() < deadline, (self.events(subject), events)
            await asyncio.sleep(0.1)


if __name__ == "__main__":
    serve(int(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))
