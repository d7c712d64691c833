"""Questions and passwords on a terminal: a real one (pty), the real command, and nobody who answers at the address."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

NOBODY = ("--url", "http://127.0.0.1:1")
NO_CONNECTION = 3


def talk(command: Sequence[str], answers: Sequence[tuple[str, str]]) -> tuple[str, int]:
    """Run `meet <command>` on a terminal, give each answer when its question is there: all it showed, exit code."""
    terminal, end = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "meet", *command, *NOBODY], stdin=end, stdout=end, stderr=end, start_new_session=True
    )
    os.close(end)
    shown, waiting = "", list(answers)
    try:
        while True:
            try:
                chunk = os.read(terminal, 4096)
            except OSError:  # EIO: nobody holds the other end any more
                break
            if not chunk:
                break
            shown += chunk.decode()
            if waiting and waiting[0][0] in shown.rpartition("\n")[2]:
                os.write(terminal, f"{waiting.pop(0)[1]}\n".encode())
        return shown, process.wait(30)
    finally:
        process.kill()
        process.wait()
        os.close(terminal)


@pytest.mark.parametrize(("answer", "code"), [("n", 1), ("", 1), ("y", NO_CONNECTION)])
def test_the_question_before_something_is_lost(answer: str, code: int) -> None:
    shown, ended = talk(["rooms", "delete", "a"], [("Delete a? [y/N]:", answer)])
    assert ended == code
    assert ("nothing was changed" in shown) == (code == 1)


def test_the_password_of_an_administrator_is_asked_for_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MEET_ADMIN_PASSWORD", raising=False)
    monkeypatch.delenv("MEET_ADMIN_USER", raising=False)
    shown, code = talk(["keys", "show"], [("Password of admin:", "swordfish")])
    assert code == NO_CONNECTION
    assert "swordfish" not in shown


def test_a_password_that_is_typed_is_asked_for_twice_and_not_shown() -> None:
    command = ["users", "create", "alice", "--password-stdin"]
    shown, code = talk(command, [("Password:", "swordfish"), ("confirmation:", "swordfish")])
    assert code == NO_CONNECTION
    assert "swordfish" not in shown


def test_a_password_that_is_not_there() -> None:
    command = [sys.executable, "-m", "meet", "users", "create", "alice", "--password-stdin", *NOBODY]
    result = subprocess.run(command, input="", capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (2, "meet: there is no password on standard input\n")


@pytest.mark.parametrize("content", [b"\xff", b"two\nwords\n", b""])
def test_a_file_without_a_key(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "key"
    path.write_bytes(content)
    command = [sys.executable, "-m", "meet", "rooms", "list", "--api-key-file", str(path), *NOBODY]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 4
    assert result.stderr.startswith(f"meet: {path} holds no API key: ")
