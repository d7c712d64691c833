"""A data directory with a fake supervisor on its socket, recorders played by the test, and the real controller."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from meet.media.twirp.egress_model import EgressEvent, EgressRequest
from meet.recorder.control import EgressController
from meet.recorder.control.entry import Entry

REQUEST = EgressRequest("a", "RM_1", "grid", "H264_720P_30", "rec/a--x.mp4", b"")


class FakeSupervisor:
    """Answers start_recorder; `refuse` makes it say no, `on_start` runs before the answer. restarts: what it tells."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.started: list[str] = []
        self.refuse = ""
        self.restarts = {"died": 0}
        self.on_start: Callable[[str], Any] | None = None
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._server = await asyncio.start_unix_server(self._serve, path=self.path)

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self.path.unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = json.loads(await reader.readline())
        answer: dict[str, Any] = {"ok": True, "restarts": self.restarts}
        if request["op"] != "recorder_restarts":
            assert request["op"] == "start_recorder"
            self.started.append(request["egress_id"])
            if self.on_start is not None:
                await self.on_start(request["egress_id"])
            answer = {"ok": False, "error": self.refuse} if self.refuse else {"ok": True}
        writer.write(json.dumps(answer).encode() + b"\n")
        await writer.drain()
        writer.close()


class FakeRecorder:
    """One connection of a recorder to `run/egress.sock`."""

    def __init__(self, world: World, egress_id: str) -> None:
        self._world = world
        self.egress_id = egress_id
        self._reader: asyncio.StreamReader
        self._writer: asyncio.StreamWriter

    async def connect(self, *, hello: bool = True) -> FakeRecorder:
        self._reader, self._writer = await asyncio.open_unix_connection(self._world.data / "run" / "egress.sock")
        if hello:
            self.say({"type": "hello", "egress_id": self.egress_id})
        return self

    def say(self, message: dict[str, Any]) -> None:
        self._writer.write(json.dumps(message).encode() + b"\n")

    def raw(self, data: bytes) -> None:
        self._writer.write(data)

    def report(self, status: str, *, save: bool = False, **fields: Any) -> None:
        """Send a status; `save` also writes state.json, as a recorder does first."""
        state = {"egress_id": self.egress_id, "room_name": "a", "status": status} | fields
        if save:
            (self._world.folder(self.egress_id) / "state.json").write_text(json.dumps(state))
        self.say({"type": "status", "egress": state})

    async def hear(self) -> dict[str, Any] | None:
        """The next message of the control; None when it hung up."""
        async with asyncio.timeout(40):
            line = await self._reader.readline()
        return json.loads(line) if line else None

    async def close(self) -> None:
        self._writer.close()
        with contextlib.suppress(ConnectionError):
            await self._writer.wait_closed()


class World:
    """Everything around the controller; `restart` is what a killed media process looks like to the rest."""

    def __init__(self, data: Path, **options: Any) -> None:
        self.data = data
        self.options = options
        self.supervisor = FakeSupervisor(data / "run" / "supervisor.sock")
        self.events: list[EgressEvent] = []
        self.confirming = True
        self.control = self._new()
        self.recorders: list[FakeRecorder] = []

    def _new(self) -> EgressController:
        control = EgressController(self.data, **self.options)
        control.add_listener(self._note)
        return control

    def _note(self, event: EgressEvent) -> None:
        self.events.append(event)
        if self.confirming:
            event.confirm()

    async def open(self) -> None:
        await self.supervisor.open()
        await self.control.open()

    async def close(self) -> None:
        for recorder in self.recorders:
            await recorder.close()
        await self.control.close()
        await self.supervisor.close()

    async def restart(self) -> None:
        await self.control.close()
        self.events.clear()
        self.control = self._new()
        await self.control.open()

    def folder(self, egress_id: str) -> Path:
        return self.data / "spool" / egress_id

    def entry(self, egress_id: str) -> Entry:
        """What the controller has in its memory."""
        entry = self.control._ledger.get(egress_id)
        assert entry is not None
        return entry

    @property
    def told(self) -> list[tuple[str, str]]:
        return [(event.name, event.state.status) for event in self.events]

    async def start(self) -> str:
        return (await self.control.start(REQUEST)).egress_id

    async def recorder(self, egress_id: str) -> FakeRecorder:
        recorder = await FakeRecorder(self, egress_id).connect()
        self.recorders.append(recorder)
        return recorder

    def status(self, egress_id: str) -> str:
        return self.control.list(egress_id=egress_id)[0].status

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(40):
            while not condition():
                await asyncio.sleep(0.005)

    async def until_status(self, egress_id: str, status: str) -> None:
        await self.until(lambda: self.status(egress_id) == status)
