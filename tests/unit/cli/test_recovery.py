"""A lost password of the first administrator, on the server's machine."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from meet.cli import main
from meet.cli.stored import Stored
from meet.core.passwords import verify_password
from meet.db import Database
from tests.unit.cli.test_stored import bare, first_start

COMMAND = ("reset-root-password", "--data-dir")


def run(data_dir: Path, *options: str, given: str | None = None) -> Result:
    return CliRunner().invoke(main, [*COMMAND, str(data_dir), *options], input=given)


def works(data_dir: Path, password: str) -> bool:
    with closing(sqlite3.connect(data_dir / "meet.db")) as connection:
        row = connection.execute("SELECT password_hash, must_change_password, sessions_since FROM users").fetchone()
    assert row[1] == 0 and (row[2] > 0 or password == "lost")
    return asyncio.run(verify_password(password, row[0]))


def test_a_password_is_generated_and_printed(tmp_path: Path) -> None:
    first_start(tmp_path, "lost", None)
    result = run(tmp_path)
    assert result.exit_code == 0, result.output
    found = re.fullmatch(r"admin login   admin / (\S{16})\n", result.output)
    assert found and works(tmp_path, found[1]) and not works(tmp_path, "lost")
    assert Stored(bare(tmp_path)).admin_password == ""


def test_a_password_is_read(tmp_path: Path) -> None:
    first_start(tmp_path, "lost", None)
    result = run(tmp_path, "--password-stdin", given="found again\n")
    assert (result.exit_code, result.output) == (0, "admin login   admin / (the given password)\n")
    assert works(tmp_path, "found again")


@pytest.mark.parametrize("password", ["four", "12345", "PassWord"])
def test_what_would_not_do_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, password: str) -> None:
    monkeypatch.setenv("MEET_HOST", "0.0.0.0")
    first_start(tmp_path, "lost", None)
    result = run(tmp_path, "--password-stdin", given=f"{password}\n")
    assert (result.exit_code, password in result.output) == (2, False)
    assert works(tmp_path, "lost")


def test_who_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nothing = run(tmp_path)
    assert (nothing.exit_code, list(tmp_path.iterdir())) == (1, [])
    first_start(tmp_path, "lost", None)
    monkeypatch.setenv("MEET_INITIAL_ADMIN_USER", "somebody")
    result = run(tmp_path)
    assert (result.exit_code, "there is no user 'somebody'" in result.output) == (5, True)
    (tmp_path / "meet.db").write_bytes(b"no database")
    assert "file is not a database" in run(tmp_path).output


async def test_a_running_server_notices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    await asyncio.to_thread(first_start, tmp_path, "lost", None)
    monkeypatch.setattr("meet.db.engine._OTHERS_S", 0)
    database = Database.open(tmp_path / "meet.db")
    accounts = database.repositories().accounts
    before = await accounts.get_user("admin")
    assert before is not None and await accounts.get_user("admin") is before
    result = await asyncio.to_thread(run, tmp_path, "--password-stdin", given="found again\n")
    assert result.exit_code == 0, result.output
    after = await accounts.get_user("admin")
    assert after is not None and after.sessions_since > before.sessions_since
    assert await verify_password("found again", after.password_hash)
    database.close()
