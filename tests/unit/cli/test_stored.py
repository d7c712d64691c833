"""Only credentials that work are told."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from meet import credentials
from meet.cli.stored import NotReadable, Stored
from meet.config import Settings
from meet.core.model.user import ApiKey, GlobalConfig, User
from meet.core.passwords import hash_password
from meet.db import Database


def settings(data_dir: Path, **more: str) -> Settings:
    return credentials.fill(Settings.load(data_dir=data_dir, **more)).model_copy(update=more)


def first_start(data_dir: Path, password: str, key: str | None) -> None:
    """Leave a database behind, as the first start does."""

    async def initialise() -> None:
        database = Database.open(data_dir / "meet.db")
        hashed = await hash_password(password)
        admin = User(
            user_id="admin", name="Admin", role="admin", registration_date=1, role_updated_at=1, password_hash=hashed
        )
        config = GlobalConfig(project_id="p", webhooks={}, security={}, rooms={})
        stored_key = ApiKey(key, 1) if key else None
        await database.repositories().accounts.initialise(config, admin, stored_key)
        database.close()

    asyncio.run(initialise())


def bare(data_dir: Path, **given: str) -> Settings:
    """What a command sees: the environment only."""
    return Settings.load(data_dir=data_dir, **given)


def test_before_the_first_start_they_are_those_that_will_be(tmp_path: Path) -> None:
    assert not Stored(bare(tmp_path / "none")).exists
    filled = settings(tmp_path)
    found = Stored(bare(tmp_path))
    assert found.exists
    assert (found.api_key, found.admin_password) == (filled.initial_api_key, filled.initial_admin_password)


def test_what_is_in_the_database_counts(tmp_path: Path) -> None:
    settings(tmp_path)
    first_start(tmp_path, "given at first", "ovmeet-rotated")
    found = Stored(bare(tmp_path))
    assert found.api_key == "ovmeet-rotated"
    assert found.admin_password == "", "the generated password was never in force"
    assert Stored(bare(tmp_path, initial_admin_password="given at first")).admin_password == "given at first"


def test_the_generated_password_is_known_whatever_the_environment_says(tmp_path: Path) -> None:
    generated = settings(tmp_path).initial_admin_password
    first_start(tmp_path, generated, None)
    found = Stored(bare(tmp_path, initial_admin_password="too late"))
    assert (found.admin_password, found.api_key) == (generated, "")


def test_guessable_ones_do_not_work_for_other_machines(tmp_path: Path) -> None:
    first_start(tmp_path, "admin", "meet-api-key")
    local = Stored(bare(tmp_path, initial_admin_password="admin"))
    assert (local.admin_password, local.api_key) == ("admin", "meet-api-key")
    reachable = Stored(bare(tmp_path, initial_admin_password="admin", host="0.0.0.0"))
    assert (reachable.admin_password, reachable.api_key) == ("", "")


def test_looking_generates_nothing(tmp_path: Path) -> None:
    first_start(tmp_path, "given at first", "ovmeet-given")
    before = {path.name for path in tmp_path.iterdir()}
    found = Stored(bare(tmp_path))
    assert (found.api_key, found.livekit_api_secret) == ("ovmeet-given", "")
    assert {path.name for path in tmp_path.iterdir()} - {"meet.db-shm", "meet.db-wal"} == before


def test_unreadable_files_are_told(tmp_path: Path) -> None:
    (tmp_path / "secrets.json").write_text("{")
    with pytest.raises(NotReadable, match=r"secrets\.json"):
        Stored(bare(tmp_path))
    (tmp_path / "secrets.json").unlink()
    (tmp_path / "meet.db").write_text("no database at all")
    with pytest.raises(NotReadable, match=r"meet\.db"):
        _ = Stored(bare(tmp_path)).api_key
