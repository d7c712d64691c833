"""The operator's commands and the Python client against a real server, as sub-processes."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from meet.demo.api import Api
from meet.demo.robot import Robot
from meet.demo.server import Server

DOCS = Path(__file__).parents[2] / "docs"
pytestmark = pytest.mark.timeout(300)


@dataclass(frozen=True)
class Result:
    """How a command ended and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def run(*command: str, env: dict[str, str] | None = None, cwd: Path | None = None) -> Result:
    """Run Python with these arguments, without a terminal."""
    process = subprocess.run(
        (sys.executable, *command),
        env={**os.environ, **(env or {})},
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert "Traceback" not in process.stderr, process.stderr
    return Result(process.returncode, process.stdout, process.stderr)


def meet(server: Server, *command: str, env: dict[str, str] | None = None) -> Result:
    """A `meet` command on the machine of the server."""
    return run("-m", "meet", *command, env={"MEET_DATA_DIR": str(server.data_dir), **(env or {})})


async def later(server: Server, *command: str, env: dict[str, str] | None = None) -> Result:
    """The same while other things go on."""
    return await asyncio.to_thread(meet, server, *command, env=env)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for the tests that leave nothing behind which others would see."""
    server = Server(tmp_path_factory.mktemp("shared") / "data", env={"MEET_RATE_LIMITS": "false"})
    with asyncio.Runner() as runner:
        runner.run(server.start())
        yield server
        runner.run(server.stop())


def test_rooms_and_members(shared: Server) -> None:
    created = meet(shared, "rooms", "create", "Standup", "--layout", "speaker", "--delete-after", "5", "--json")
    room = created.json
    room_id = room["roomId"]
    assert room["config"]["recording"]["layout"] == "speaker"
    assert room["autoDeletionPolicy"] == {"withMeeting": "when_meeting_ends", "withRecordings": "close"}

    shown = meet(shared, "rooms", "show", room_id)
    assert room["access"]["anonymous"]["moderator"]["url"] in shown.out
    listed = meet(shared, "rooms", "list", "--name", "STAND")
    heading, line = listed.out.splitlines()
    assert heading.split() == ["ROOM", "NAME", "OWNER", "STATUS", "CREATED"]
    assert line.split()[:4] == [room_id, "Standup", "admin", "open"]

    member = (meet(shared, "rooms", "members", "add", room_id, "--guest", "Ana", "--allow", "canRecord", "--json")).json
    assert member["customPermissions"] == {"canRecord": True}
    changed = meet(shared, "rooms", "members", "set", room_id, member["memberId"], "--reset", "--json")
    assert "canRecord" not in changed.json.get("customPermissions", {})
    foreign = meet(shared, "rooms", "members", "set", room_id, member["memberId"], "--allow", "recordingControl")
    assert (foreign.code, "does not know recordingControl" in foreign.err) == (1, True), foreign
    removed = meet(shared, "rooms", "members", "remove", room_id, member["memberId"], "nobody", "--yes")
    assert (removed.code, removed.out) == (1, f"{member['memberId']} removed\n")
    assert removed.err == "nobody: Room member not found\n"

    assert (meet(shared, "rooms", "close", room_id)).out == f"{room_id} is closed\n"
    asked = meet(shared, "rooms", "delete", room_id)
    assert asked.code == 2
    assert "--yes" in asked.err
    assert (meet(shared, "rooms", "delete", room_id, "--yes")).code == 0
    gone = meet(shared, "rooms", "show", room_id)
    assert (gone.code, gone.out, gone.err) == (5, "", f"meet: Room '{room_id}' does not exist\n")


def test_users_settings_and_webhooks(shared: Server) -> None:
    created = meet(shared, "users", "create", "alice", "--role", "room_manager", "--json")
    assert created.json["role"] == "room_manager"
    assert "first password: " in created.err
    assert (meet(shared, "users", "set-role", "alice", "room_member", "--json")).json["role"] == "room_member"
    assert "first password: " in (meet(shared, "users", "reset-password", "alice")).err
    deleted = meet(shared, "users", "delete", "alice", "admin", "--yes", "--json")
    assert deleted.code == 1
    assert deleted.json["deleted"] == ["alice"]

    settings = ("webhooks.url=http://hooks.test/events", "theme.primaryColor=#123456")
    shown = (meet(shared, "config", "set", *settings, "--json")).json
    assert shown["webhooks"] == {"enabled": True, "url": "http://hooks.test/events"}
    assert shown["appearance"]["themes"][0]["primaryColor"] == "#123456"
    refused = meet(shared, "webhooks", "test", "http://127.0.0.1:9/")
    assert refused.code == 1
    assert "Webhook URL" in refused.err
    assert (meet(shared, "webhooks", "list", "--json")).json == []
    assert (meet(shared, "webhooks", "redeliver", "WD_1")).code == 5


def test_where_the_server_is(shared: Server, tmp_path: Path) -> None:
    remote = {"MEET_DATA_DIR": str(tmp_path / "elsewhere")}
    nobody = meet(shared, "rooms", "list", env=remote)
    assert nobody.code == 3
    assert "no server is running" in nobody.err
    key_file = tmp_path / "key"
    key_file.write_text(f"{shared.api_key}\n")
    named = ("rooms", "list", "--url", f"{shared.url}/meet", "--api-key-file", str(key_file), "--json")
    assert (meet(shared, *named, env=remote)).json == []
    assert (meet(shared, "rooms", "list", "--url", "http://127.0.0.1:1")).code == 3
    unknown_login = meet(shared, "keys", "show", "--url", shared.url, env=remote)
    assert (unknown_login.code, unknown_login.out) == (4, "")


async def test_credentials_are_those_that_work(tmp_path: Path) -> None:
    first = {"MEET_INITIAL_ADMIN_PASSWORD": "given at first", "MEET_INITIAL_API_KEY": "ovmeet-given"}
    async with Server(tmp_path / "data", env=first) as server:
        assert "admin / given at first" in (await later(server, "credentials", env=first)).out
    async with Server(tmp_path / "data") as server:  # the variables are gone; what they set is still in force
        printed = (await later(server, "credentials")).out
        assert "API key       ovmeet-given\n" in printed
        assert "admin / (changed since the first start; only its owner knows it)" in printed
        generated = json.loads((tmp_path / "data" / "secrets.json").read_text())["initial_admin_password"]
        assert generated not in printed
        assert (await later(server, "keys", "show")).code == 4
        login = {"MEET_ADMIN_PASSWORD": "given at first"}
        new = (await later(server, "keys", "create", "--yes", "--json", env=login)).json["key"]
        assert new != "ovmeet-given"
        assert (await later(server, "rooms", "list", env={"MEET_API_KEY": "ovmeet-given"})).code == 4
        assert (await later(server, "rooms", "list")).code == 0, "the key in force is found in the database"
        reset = await later(server, "reset-root-password")
        password = re.fullmatch(r"admin login   admin / (\S+)\n", reset.out)
        assert password and password[1] not in server.log_path.read_text()
        await asyncio.sleep(1)  # as is promised; the command has taken longer than the rest of it already
        assert (await later(server, "keys", "show", env={"MEET_ADMIN_PASSWORD": password[1]})).code == 0


async def test_the_doctor(tmp_path: Path) -> None:
    server = Server(tmp_path / "data")
    before = await later(server, "doctor", "--port", "0", "--livekit-port", "0", "--rtc-port", "0", "--json")
    assert before.code == 0
    assert not server.data_dir.exists(), "it changes nothing"
    async with server:
        running = await later(server, "doctor", "--json")
        findings = {finding["check"]: finding for finding in running.json}
        assert running.code == 0, running.out
        assert {"settings", "database", "storage", "codecs", "readiness", "media port", "media server"} <= set(findings)
        assert server.url in findings["server"]["text"]
    (server.data_dir / "meet.db").write_bytes(b"not a database" * 1000)
    (server.data_dir / "secrets.json").chmod(0o644)
    stopped = await later(server, "doctor", "--port", "0", "--livekit-port", "0", "--rtc-port", "0", "--json")
    failed = {finding["check"]: finding["advice"] for finding in stopped.json if finding["level"] == "fail"}
    assert stopped.code == 1
    assert set(failed) == {"database", "secrets"}
    assert failed["secrets"] == f"chmod 600 {server.data_dir / 'secrets.json'}"


class CuttingProxy:
    """Forwards TCP; the first answer with media ends in the middle. `requests` are the heads that passed."""

    def __init__(self, port: int, cut_at: int) -> None:
        self.requests: list[bytes] = []
        self._port, self._cut_at = port, cut_at

    async def __aenter__(self) -> CuttingProxy:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: Any) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self._port)

        async def requests() -> None:
            while data := await reader.read(1 << 16):
                self.requests.append(data)
                up_writer.write(data)
            up_writer.close()

        asking = asyncio.create_task(requests())
        sent = 0
        while data := await up_reader.read(4096):
            sent += len(data)
            if b"/media" in self.requests[-1] and self._cut_at and sent > self._cut_at:
                self._cut_at = 0
                break
            writer.write(data)
            await writer.drain()
        asking.cancel()
        up_writer.close()
        writer.close()


async def test_a_recording_from_start_to_file(server: Server, api: Api, tmp_path: Path) -> None:
    room = await api.create_room("Standup")
    url, token = await api.join_token(room, "Ada")
    async with Robot(url, token, width=1280, height=720):
        recording = (await later(server, "recordings", "start", room["roomId"], "--compose", "live", "--json")).json
        await asyncio.sleep(2)
        for command, paused in (("pause", True), ("resume", False)):
            assert (await later(server, "recordings", command, recording["recordingId"], "--json")).json[
                "paused"
            ] is paused
        arranged = await later(server, "recordings", "layout", recording["recordingId"], "speaker", "--json")
        assert arranged.json["layout"] == "speaker"
        stopped = await later(server, "recordings", "stop", recording["recordingId"])
        assert (stopped.code, "ending" in stopped.out) == (0, True)
    recording_id = recording["recordingId"]
    done = await api.wait_for(recording_id, "complete", "failed", "aborted")
    assert done["status"] == "complete", done
    assert (await later(server, "recordings", "list", "--status", "complete")).out.count(recording_id) == 1
    inspected = (await later(server, "recordings", "inspect", recording_id)).out
    assert re.search(r"pauses +1, 0:\d\d", inspected) and re.search(r"sha256 +[0-9a-f]{64}", inspected), inspected

    port = int(server.url.rsplit(":", 1)[1])
    remote = {"MEET_API_KEY": server.api_key}
    async with CuttingProxy(port, cut_at=done["size"] * 2 // 3) as proxy:
        saved = await later(
            server, "recordings", "download", recording_id, "-o", f"{tmp_path / 'new'}/", "--url", proxy.url, env=remote
        )
        asked = [request for request in proxy.requests if b"/media" in request]
        assert saved.code == 0, saved.err
        assert len(asked) == 2
        assert re.search(rb"Range: bytes=[1-9]\d+-\r\n", asked[1], re.IGNORECASE)
    fetched = tmp_path / "new" / done["filename"]
    assert saved.out == f"{fetched}\n"
    whole = tmp_path / "whole.mp4"
    await api.download(recording_id, whole, lambda _done, _total: None)
    assert fetched.read_bytes() == whole.read_bytes()
    assert not list(tmp_path.rglob("*.part*"))

    shared = (await later(server, "recordings", "url", recording_id)).out
    assert shared.startswith(f"{server.url}/meet/recording/{recording_id}?")
    link = (await later(server, "recordings", "share", recording_id, "--hours", "1", "--json")).json
    assert link["linkId"] in (await later(server, "recordings", "links", recording_id)).out
    assert (await later(server, "recordings", "unshare", recording_id, link["linkId"], "--yes")).code == 0
    kept = await later(server, "rooms", "delete", room["roomId"], "--with-meeting", "force", "--yes")
    assert (kept.code, "because it has recordings" in kept.err) == (1, True)
    assert (await later(server, "recordings", "delete", recording_id, "--yes")).out == f"{recording_id} deleted\n"


def test_the_examples_of_the_documentation(shared: Server, tmp_path: Path) -> None:
    example_env = {"MEET_URL": shared.url, "MEET_API_KEY": shared.api_key}
    blocking, awaited = re.findall(r"```python\n(.*?)```", (DOCS / "client.md").read_text(), re.DOTALL)
    made = run("-c", blocking, env=example_env, cwd=tmp_path)
    assert made.code == 0, made.err
    assert re.fullmatch(r"standup-\w{15} http://\S+secret=\w+\n", made.out)
    cleared = run("-c", awaited, env=example_env, cwd=tmp_path)
    assert (cleared.code, cleared.out) == (0, ""), cleared.err
