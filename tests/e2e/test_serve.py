"""The server as an operator meets it: one ready line, one instance, graceful and violent ends, clean logs."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from pathlib import Path

import psutil
import pytest

from meet.demo.api import Api
from meet.demo.robot import Robot
from meet.demo.server import Server, ServerFailed
from tests.faults.campaign import insist

pytestmark = pytest.mark.timeout(150)


def titles(server: Server) -> list[str]:
    """What `ps` shows for the server's processes."""
    return [" ".join(child.cmdline()).strip() for child in psutil.Process(server.pid).children(recursive=True)]


def pid_of(server: Server, title: str) -> int:
    for child in psutil.Process(server.pid).children(recursive=True):
        if " ".join(child.cmdline()).startswith(title):
            return child.pid
    raise AssertionError(f"{title} is not running: {titles(server)}")


async def get(api: Api, path: str) -> tuple[int, str]:
    async with api._session.get(path) as response:
        return response.status, await response.text()


async def test_processes_name_themselves_and_health_answers(server: Server, api: Api) -> None:
    assert {"meet media", "meet backend"} <= set(titles(server))
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


@pytest.mark.parametrize("victim", ["meet recorder resilient-", "meet media", "meet backend"])
async def test_a_killed_process_comes_back_and_the_recording_completes(server: Server, api: Api, victim: str) -> None:
    room = await api.create_room("Resilient")
    url, token = await api.join_token(room, "Ada")
    async with Robot(url, token):
        recording = await api.start_recording(room["roomId"])
        await asyncio.sleep(3)
        os.kill(pid_of(server, victim), signal.SIGKILL)
        await asyncio.sleep(6)
        assert pid_of(server, victim)
        await insist(lambda: api.stop_recording(recording["recordingId"]), settled=(409,))
        done = await api.wait_for(recording["recordingId"], "complete", "failed", "aborted", timeout_s=60)
    assert done["status"] == "complete", done
    assert done["duration"] >= 6.0


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
        done = await api.wait_for(recording["recordingId"], "complete", timeout_s=10)
        assert done["size"] == files[0].stat().st_size
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
    out, err = await asyncio.wait_for(process.communicate(), 40)
    assert process.returncode == 1
    assert out == b""
    assert b"Traceback" not in err
    assert f"port {port} is already in use".encode() in err
