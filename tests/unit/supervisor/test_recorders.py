"""Which recordings are picked up again, and what the control socket answers."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest

from meet.recorder.control.supervisor import recorder_restarts
from meet.recorder.quarantine.watch import Quarantine
from meet.supervisor import child as child_module
from meet.supervisor import lock
from meet.supervisor import spares as spares_module
from meet.supervisor.ask import Refused, drain_media
from meet.supervisor.child import Child
from meet.supervisor.control import handle, listen
from meet.supervisor.recorders import Recorders


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    def entry(name: str, status: str | None) -> None:
        directory = tmp_path / "spool" / name
        directory.mkdir(parents=True)
        (directory / "request.json").write_text('{"key": "a.mp4"}')
        if status is not None:
            (directory / "state.json").write_text(json.dumps({"status": status}))

    entry("EG_active", "active")
    entry("EG_complete", "complete")
    entry("EG_ending", "ending")
    entry("EG_no_state", None)
    entry("EG_torn", "active")
    (tmp_path / "spool" / "EG_torn" / "state.json").write_text('{"status": "act')
    (tmp_path / "spool" / "EG_empty").mkdir()
    entry("EG_list", "active")
    (tmp_path / "spool" / "EG_list" / "state.json").write_text("[]")
    entry("EG_deep", "complete")
    (tmp_path / "spool" / "EG_deep" / "state.json").write_text("[" * 100_000)
    entry("EG_deep_request", None)
    (tmp_path / "spool" / "EG_deep_request" / "request.json").write_text('{"key":' * 100_000)
    entry("EG_listed", None)
    (tmp_path / "spool" / "EG_listed" / "state.json").write_text('{"status": ["complete"]}')
    entry("EG_uncleaned", "complete")
    entry("EG_senseless", None)
    (tmp_path / "spool" / "EG_senseless" / "request.json").write_text("[]")
    entry("EG_strange", None)
    (tmp_path / "spool" / "EG_strange" / "request.json").unlink()
    (tmp_path / "spool" / "EG_strange" / "request.json").mkdir()
    (tmp_path / "spool" / "lost+found").mkdir()
    (tmp_path / "spool" / "EG_uncleaned" / "composite.mp4").touch()
    return tmp_path / "spool"


def test_everything_that_is_not_final_is_recovered(spool: Path) -> None:
    assert Recorders(spool, {}).unfinished() == [
        "EG_active",
        "EG_deep",
        "EG_ending",
        "EG_list",
        "EG_listed",
        "EG_no_state",
        "EG_torn",
        "EG_uncleaned",
    ]


def test_no_spool_is_no_work(tmp_path: Path) -> None:
    assert Recorders(tmp_path / "none", {}).unfinished() == []


@pytest.mark.parametrize(
    "line",
    [
        b"nonsense",
        b"[]",
        b'{"op":"dance"}',
        b'{"op":"start_recorder"}',
        b'{"op":"start_recorder","egress_id":"EG_unknown"}',
    ],
)
async def test_a_wrong_request_is_answered_not_raised(spool: Path, line: bytes) -> None:
    answer = await handle(line, Recorders(spool, {}))
    assert answer["ok"] is False
    assert answer["error"]


async def test_a_recorder_runs_until_it_exits_0(spool: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "recorder.py"
    script.write_text(
        "import os, pathlib, sys\n"
        "os.write(int(os.environ['MEET_READY_FD']), b'ready')\n"
        "if sys.argv[2] == '--standby': sys.argv[2] = sys.stdin.readline().strip()\n"
        f"first = pathlib.Path({str(tmp_path)!r}, 'first')\n"
        "if not first.exists(): sys.exit(first.touch() or 1)\n"
        f"pathlib.Path({str(tmp_path)!r}, 'ran').write_text(sys.argv[2])\n"
    )
    monkeypatch.setattr(child_module, "COMMAND", (sys.executable, str(script)))
    monkeypatch.setattr(spares_module, "adopt_orphans", lambda adopting: False)
    recorders = Recorders(spool, dict(os.environ))
    path = tmp_path / "control.sock"
    server = await listen(path, recorders)
    assert path.stat().st_mode & 0o777 == 0o600
    assert await handle(b'{"op":"start_recorder","egress_id":"EG_active"}', recorders) == {"ok": True}
    child = recorders._running["EG_active"]
    await child.finished.wait()
    assert (tmp_path / "ran").read_text() == "EG_active"
    assert await recorder_restarts(path) == {"died": 1}
    await recorders.close(1)
    server.close()
    refused = await handle(b'{"op":"start_recorder","egress_id":"EG_active"}', recorders)
    assert refused == {"ok": False, "error": "the server is shutting down"}


@pytest.mark.parametrize("continuing", [True, False])
async def test_a_shutdown_is_no_recorders_fault(
    spool: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, continuing: bool
) -> None:
    """Killed with a picture in hand, at once or because it took too long: nothing is counted against the picture."""
    script = tmp_path / "recorder.py"
    script.write_text(
        "import os, pathlib, signal, sys, time\n"
        "os.write(int(os.environ['MEET_READY_FD']), b'ready')\n"
        "if sys.argv[2] == '--standby': sys.argv[2] = sys.stdin.readline().strip()\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "from meet.recorder.quarantine.watch import Quarantine\n"
        f"note = Quarantine(pathlib.Path({str(spool)!r}, sys.argv[2])).take_over()\n"
        "note.begin(live=True)\n"
        "note.enter(1, 9)\n"
        f"pathlib.Path({str(tmp_path)!r}, 'busy').touch()\n"
        "time.sleep(60)\n"
    )
    monkeypatch.setattr(child_module, "COMMAND", (sys.executable, str(script)))
    monkeypatch.setenv("PYTHONPATH", str(Path.cwd()))
    monkeypatch.setattr(spares_module, "adopt_orphans", lambda adopting: False)
    (spool / "EG_active" / "journal").mkdir()
    recorders = Recorders(spool, dict(os.environ), continuing=continuing)
    await recorders.start("EG_active")
    async with asyncio.timeout(40):
        while not (tmp_path / "busy").exists():
            await asyncio.sleep(0.02)
    await recorders.close(0.2)
    assert Quarantine(spool / "EG_active").ledger.deaths == []


@pytest.mark.parametrize(
    ("workers", "line", "error"),
    [
        (0, b'{"op":"drain_media","worker":0}', "one media process only"),
        (2, b'{"op":"drain_media","worker":2}', "media workers are 0 to 1"),
        (2, b'{"op":"drain_media","worker":-1}', "media workers are 0 to 1"),
        (2, b'{"op":"drain_media","worker":"x"}', "invalid literal"),
        (2, b'{"op":"drain_media","worker":1}', "media worker 1 is not running"),
    ],
)
async def test_what_cannot_be_drained(spool: Path, workers: int, line: bytes, error: str) -> None:
    children = [Child(("media", "worker", str(index)), {}) for index in range(workers)]
    answer = await handle(line, Recorders(spool, {}), children)
    assert answer["ok"] is False
    assert error in answer["error"]


async def test_draining_from_the_command_line(spool: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "worker.py"
    script.write_text(
        "import os, signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\n"
        "os.write(int(os.environ['MEET_READY_FD']), b'ready\\n')\n"
        "time.sleep(60)\n"
    )
    monkeypatch.setattr(child_module, "COMMAND", (sys.executable, str(script)))
    children = [Child(("media", "worker", str(index)), dict(os.environ)) for index in range(2)]
    await asyncio.gather(*(child.start() for child in children))
    before = [child.pid for child in children]
    path = tmp_path / "control.sock"
    server = await listen(path, Recorders(spool, {}), children)
    assert await asyncio.to_thread(drain_media, path, 1) == before[1]
    assert (children[0].pid, children[1].pid != before[1]) == (before[0], True)
    with pytest.raises(Refused, match="media workers are 0 to 1"):
        await asyncio.to_thread(drain_media, path, 7)
    server.close()
    with pytest.raises(Refused, match="no server runs"):
        drain_media(tmp_path / "nothing.sock", 0)
    await asyncio.gather(*(child.stop(5) for child in children))


def test_one_instance_per_data_directory(tmp_path: Path) -> None:
    held = lock.acquire(tmp_path)
    with pytest.raises(lock.AlreadyRunning, match=f"pid {os.getpid()}"):
        lock.acquire(tmp_path)
    held.close()
    lock.acquire(tmp_path).close()
