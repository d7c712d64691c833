from __future__ import annotations

import io
import os
from pathlib import Path

import pytest

from storage.multipart import Part
from storage.pace import Pace
from storage.slice import Slice


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "f"
    made.write_bytes(bytes(range(100)))
    return made


def test_a_slice_is_read_like_a_file_of_its_own(path: Path) -> None:
    with Slice(path, Part(2, 10, 50)) as body:
        assert len(body) == 50
        assert body.read(20) == bytes(range(10, 30))
        assert body.tell() == 20
        assert body.read() == bytes(range(30, 60))
        assert body.read(1) == b""
        assert body.seek(-5, io.SEEK_END) == 45
        assert body.read() == bytes(range(55, 60))
        body.seek(0)
        assert body.read() == bytes(range(10, 60))


def test_a_file_that_became_shorter_is_an_error_not_a_short_body(path: Path) -> None:
    with Slice(path, Part(1, 0, 100)) as body:
        assert len(body.read(60) or b"") == 60
        path.write_bytes(bytes(10))
        with pytest.raises(OSError, match="shorter"):
            body.read(40)


def test_reading_keeps_to_the_pace_until_it_is_lifted(path: Path) -> None:
    now = [1000.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    pace = Pace(10.0, clock=lambda: now[0], sleep=sleep)
    with Slice(path, Part(1, 0, 100), pace) as body:
        for _ in range(3):
            body.read(20)
        assert now[0] == pytest.approx(1004.0)  # the last piece is not waited for
        pace.rate = None
        body.read(20)
    assert now[0] == pytest.approx(1004.0)


def test_a_descriptor_that_a_thread_reads_is_not_given_to_others(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    body = Slice(path, Part(1, 0, 100))
    fd, real = body._fd, os.pread

    def pread(number: int, size: int, offset: int) -> bytes:
        body.close()  # the request is given up just now
        assert os.fstat(number).st_size == 100
        return real(number, size, offset)

    monkeypatch.setattr(os, "pread", pread)
    assert body.readinto(bytearray(10)) == 10
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(fd)
    with pytest.raises(ValueError, match="given up"):
        body.readinto(bytearray(10))
    body.close()
