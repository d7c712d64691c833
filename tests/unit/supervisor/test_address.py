"""Where the server of a data directory is, for commands on the same machine."""

from __future__ import annotations

import os
from pathlib import Path

from meet.config import Settings
from meet.supervisor import address, lock


def settings(data_dir: Path) -> Settings:
    return Settings.load(data_dir=data_dir, port=6081, livekit_port=7881, rtc_port=7883)


def test_a_running_server_is_found(tmp_path: Path) -> None:
    with lock.acquire(tmp_path):
        address.publish(settings(tmp_path), os.getpid())
        found = address.read(tmp_path)
    assert found is not None
    assert (found.url, found.port, found.rtc_port) == ("http://127.0.0.1:6081/meet", 6081, 7883)


def test_one_that_has_ended_is_not(tmp_path: Path) -> None:
    with lock.acquire(tmp_path):
        address.publish(settings(tmp_path), os.getpid())
    assert address.read(tmp_path) is None
    assert address.read(tmp_path / "none") is None


def test_one_that_is_not_ready_yet_is_not_taken_for_its_predecessor(tmp_path: Path) -> None:
    with lock.acquire(tmp_path):
        address.publish(settings(tmp_path), os.getpid() + 1)
        assert address.read(tmp_path) is None
        (tmp_path / "run" / "server.json").write_text("{}")
        assert address.read(tmp_path) is None
        assert lock.holder(tmp_path) == os.getpid()


def test_looking_for_a_holder_writes_nothing(tmp_path: Path) -> None:
    assert lock.holder(tmp_path) is None
    assert list(tmp_path.iterdir()) == []
    lock.acquire(tmp_path).close()
    assert lock.holder(tmp_path) is None
