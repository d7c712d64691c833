"""The server as an operator meets it: one ready line, one instance, graceful and violent ends, clean logs."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
import time
from pathlib import Path

import psutil
import pytest
import structlog
from livekit.api import CreateRoomRequest, ListRoomsRequest, LiveKitAPI, ServerError

from meet import credentials
from meet.config import Settings
from meet.demo.api import Api, ApiError
from meet.demo.robot import Robot
from meet.demo.server import Server, ServerFailed
from meet.supervisor import run
from tests.faults.campaign import insist

pytestmark = pytest.mark.timeout(300)


def titles(server: Server) -> dict[int, str]:
    """What `ps` shows for the server's processes, by their pids."""
    found = {}
    for child in psutil.Process(server.pid).children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):  # it has ended meanwhile
            found[child.pid] = " ".join(child.cmdline()).strip()
    return found


def pid_of(server: Server, title: str, *, but: int = 0) -> int:
    """Of a process that is not `but`. Raises AssertionError when there is none."""
    found = titles(server)
    for pid, shown in found.items():
        if shown.startswith(title) and pid != but:
            return pid
    raise AssertionError(f"{title} is not running: {found}")


async def replaced(server: Server, title: str, victim: int) -> None:
    """Wait until another process of this title is there."""
    async with asyncio.timeout(60):
        while True:
            with contextlib.suppress(AssertionError):
                pid_of(server, title, but=victim)
                return
            await asyncio.sleep(0.1)


async def get(api: Api, path: str) -> tuple[int, str]:
    async with api._session.get(path) as response:
        return response.status, await response.text()


async def test_processes_name_themselves_and_health_answers(server: Server, api: Api) -> None:
    assert {"meet media", "meet backend"} <= set(titles(server).values())
    assert (await get(api, "/livez"))[0] == 200
    assert (await get(api, "/readyz"))[0] == 200


async def test_what_the_server_writes_is_for_its_own_user(server: Server) -> None:
    written = [path for path in server.data_dir.rglob("*") if path.name != "server.log"]  # that is the helper's
    assert len(written) > 5
    assert [path for path in written if path.stat().st_mode & 0o077] == []


async def test_a_second_instance_is_refused(server: Server) -> None:
    with pytest.raises(ServerFailed, match="already using the data directory"):
        await Server(server.data_dir).start()


async def test_a_killed_server_serves_what_it_had(tmp_path: Path) -> None:
    server = Server(tmp_path / "data")
    await server.start()
    key = server.api_key
    async with Api(server.url, key) as api:
        room = await api.create_room("Kept")
        url, token = await api.join_token(room, "Ada")
        async with Robot(url, token):
            recording = await api.start_recording(room["roomId"])
            await asyncio.sleep(2)
            await api.stop_recording(recording["recordingId"])
            before = await api.wait_for(recording["recordingId"], "complete")
    await server.kill()
    await server.start()
    async with Api(server.url, key) as api:
        assert (await api.call("GET", f"/api/v1/rooms/{room['roomId']}"))["roomName"] == "Kept"
        after = await api.call("GET", f"/api/v1/recordings/{recording['recordingId']}")
        assert after == before
        path = tmp_path / "again.mp4"
        await api.download(recording["recordingId"], path, lambda _done, _total: None)
        assert path.stat().st_size == before["size"]
    assert await server.stop() == 0


async def test_a_recording_survives_the_death_of_everything(tmp_path: Path) -> None:
    server = Server(tmp_path / "data")
    await server.start()
    async with Api(server.url, server.api_key) as api:
        room = await api.create_room("Crash")
        url, token = await api.join_token(room, "Ada")
        async with Robot(url, token):
            recording = await api.start_recording(room["roomId"])
            started = time.monotonic()
            await asyncio.sleep(5)
            await server.kill()
            recorded = time.monotonic() - started
    await server.start()
    async with Api(server.url, server.api_key) as api:
        done = await api.wait_for(recording["recordingId"], "complete", "failed", "aborted", timeout_s=60)
    assert done["status"] == "complete", done
    assert done["duration"] >= recorded - 2.0
    assert await server.stop() == 0


@pytest.mark.parametrize("victim", ["meet media", "meet backend"])
async def test_a_killed_process_comes_back_and_the_recording_completes(server: Server, api: Api, victim: str) -> None:
    """Recorders are killed in `tests/faults/test_kills.py`, many times."""
    room = await api.create_room("Resilient")
    url, token = await api.join_token(room, "Ada")
    async with Robot(url, token):
        recording = await api.start_recording(room["roomId"])
        await asyncio.sleep(3)
        killed = pid_of(server, victim)
        os.kill(killed, signal.SIGKILL)
        await asyncio.sleep(6)
        await replaced(server, victim, killed)
        await insist(lambda: api.stop_recording(recording["recordingId"]), settled=(409,))
        done = await api.wait_for(recording["recordingId"], "complete", "failed", "aborted", timeout_s=60)
    assert done["status"] == "complete", done
    assert done["duration"] >= 6.0


async def test_a_hung_service_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The supervisor in this process, so that it need not be waited for as long as in earnest."""
    monkeypatch.setattr(run, "HUNG_AFTER_S", 5.0)
    data_dir, free = tmp_path / "data", {"port": 0, "livekit_port": 0, "rtc_port": 0}
    data_dir.mkdir()
    settings = run.claim_ports(credentials.fill(Settings.load(data_dir=data_dir, media_processes=2, **free)))
    url, keys = settings.livekit_url_private, (settings.livekit_api_key, settings.livekit_api_secret)
    ready = asyncio.Event()
    supervising = asyncio.create_task(run.supervise(settings, ready.set))

    def services() -> dict[str, int]:
        found = {}
        for child in psutil.Process().children():
            with contextlib.suppress(psutil.Error):  # it ends at this moment
                found[" ".join(child.cmdline()).strip()] = child.pid
        return {title: pid for title, pid in found.items() if title.startswith(("meet media", "meet backend"))}

    with structlog.testing.capture_logs() as told:
        await asyncio.wait_for(ready.wait(), 150)
        first = services()
        assert len(first) == 4
        async with LiveKitAPI(url, *keys) as client:
            rooms = [await client.room.create_room(CreateRoomRequest(name=name)) for name in ("one", "other")]
        for pid in first.values():
            os.kill(pid, signal.SIGSTOP)
        async with asyncio.timeout(120):
            while services().keys() != first.keys() or first.items() & services().items():
                await asyncio.sleep(0.1)

        async def kept() -> dict[str, str]:
            async with LiveKitAPI(url, *keys) as client:
                try:
                    found = (await client.room.list_rooms(ListRoomsRequest())).rooms
                except ServerError as error:
                    raise ConnectionError from error  # a worker is still on its way
            return {room.name: room.sid for room in found}

        assert await insist(kept) == {room.name: room.sid for room in rooms}
        async with Api(settings.backend_url, settings.initial_api_key) as api:
            assert (await insist(lambda: api.call("GET", "/api/v1/rooms")))["rooms"] == []
        os.kill(os.getpid(), signal.SIGTERM)
        await supervising
    assert {line["name"] for line in told if line["event"] == "process_hung"} == {
        "backend",
        "media front",
        "media worker 0",
        "media worker 1",
    }


async def test_sigterm_finishes_the_recording_and_exits_0(tmp_path: Path) -> None:
    server = Server(tmp_path / "data")
    await server.start()
    async with Api(server.url, server.api_key) as api:
        room = await api.create_room("Evening")
        url, token = await api.join_token(room, "Ada")
        async with Robot(url, token):
            recording = await api.start_recording(room["roomId"])
            await asyncio.sleep(3)
            started = time.monotonic()
            assert await server.stop() == 0
            assert time.monotonic() - started <= 30
    files = list((tmp_path / "data" / "storage").rglob("*.mp4"))
    assert [file.name for file in files] == [recording["filename"]]
    await server.start()
    async with Api(server.url, server.api_key) as api:
        done = await api.wait_for(recording["recordingId"], "complete")
        assert done["size"] == files[0].stat().st_size
    await server.stop()


async def test_sigterm_leaves_a_recording_that_is_to_continue(tmp_path: Path) -> None:
    server = Server(tmp_path / "data", env={"MEET_RECORDING_ON_SHUTDOWN": "continue"})
    await server.start()
    async with Api(server.url, server.api_key) as api:
        room = await api.create_room("Upgrade")
        url, token = await api.join_token(room, "Ada")
        async with Robot(url, token):
            recording = await api.start_recording(room["roomId"])
            await asyncio.sleep(2)
            os.kill(pid_of(server, f"meet recorder {recording['recordingId']}"), signal.SIGTERM)  # as systemd does
            assert await server.stop() == 0
    assert not list((tmp_path / "data" / "storage").rglob("*.mp4"))
    [known] = (tmp_path / "data" / "spool").glob("*/state.json")
    assert json.loads(known.read_text())["status"] == "active"
    await server.start()
    async with Api(server.url, server.api_key) as api:
        with contextlib.suppress(ApiError):  # the recorder may have found already that nobody came back
            await api.stop_recording(recording["recordingId"])
        done = await api.wait_for(recording["recordingId"], "complete", timeout_s=60)
        assert done["duration"] > 1 and "server stopped" not in done.get("details", "")
    await server.stop()


async def test_logs_are_json_and_hold_no_secret(server: Server, api: Api) -> None:
    room = await api.create_room("Secret")
    url, token = await api.join_token(room, "Ada")
    async with Robot(url, token):
        await asyncio.sleep(1)
        async with api._session.get(f"/api/v1/rooms?roomMemberToken={token}") as response:
            await response.read()
    await server.stop()
    text = server.log_path.read_text()
    settings = server.settings
    secrets = [token, settings.initial_api_key, settings.initial_admin_password, settings.livekit_api_secret]
    secrets += [entry["url"].partition("secret=")[2] for entry in room["access"]["anonymous"].values()]
    assert [secret for secret in secrets if secret in text] == []
    for line in text.splitlines():
        assert "event" in json.loads(line), line


async def test_a_port_in_use_is_one_clear_line(server: Server, tmp_path: Path) -> None:
    port = server.url.rpartition(":")[2]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "meet", "serve", "--data-dir", str(tmp_path / "other")),
        *("--port", port, "--livekit-port", "0", "--rtc-port", "0"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 1
    assert out == b""
    assert b"Traceback" not in err
    assert f"port {port} is already in use".encode() in err
