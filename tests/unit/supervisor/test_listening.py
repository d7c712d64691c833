"""Sockets that a child inherits, and that stay open without it."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from pathlib import Path

import pytest

from meet.supervisor import child as child_module
from meet.supervisor import listening
from meet.supervisor.child import Child

SCRIPT = """
import os
from meet.supervisor import listening
(sock,) = listening.inherited()
assert listening.VARIABLE not in os.environ and not sock.get_inheritable()
os.write(int(os.environ["MEET_READY_FD"]), b"ready\\n")
client, _ = sock.accept()
client.sendall(str(os.getpid()).encode())
client.close()
"""


async def test_each_child_accepts_on_the_same_socket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    monkeypatch.setattr(child_module, "COMMAND", (sys.executable, str(script)))
    monkeypatch.setattr(child_module, "FIRST_BACKOFF_S", 0.01)
    (sock,) = listening.listen("127.0.0.1", 0)
    env = {**os.environ, **listening.variable([sock])}
    child = Child((), env, pass_fds=[sock.fileno()])
    await child.start()
    pids = []
    for _ in range(2):  # it ends after one client, and the next one waits for another child
        reader, writer = await asyncio.open_connection(*sock.getsockname())
        pids.append(int(await asyncio.wait_for(reader.read(), 40)))
        writer.close()
    assert len(set(pids)) == 2
    await child.stop(5)
    sock.close()


def test_every_address_of_a_name() -> None:
    opened = listening.listen("localhost", 0)
    assert {sock.family for sock in opened} <= {socket.AF_INET, socket.AF_INET6}
    assert len(opened) == len({sock.getsockname()[0] for sock in opened}) >= 1
    for sock in opened:
        sock.close()


def test_a_taken_port() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(OSError, match="in use"):
            listening.listen("127.0.0.1", taken.getsockname()[1])


def test_nothing_is_inherited_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(listening.VARIABLE, raising=False)
    assert listening.inherited() == []
