"""ZIP downloads from a real server, judged by Info-ZIP's `unzip` and Python's zipfile."""

from __future__ import annotations

import os
import socket
import subprocess
import zipfile
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from isal import isal_zlib

from storage.s3 import S3Store

from .conftest import BUCKET, s3_config
from .support import media_server

BIG = 4 * 1024**3 + 12_345
BLOCK = 1024 * 1024


def unzip_test(path: Path, *members: str) -> subprocess.CompletedProcess[str]:
    command = ["unzip", "-t", str(path), *members]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


async def test_an_archive_from_s3(moto: str, tmp_path: Path) -> None:
    contents = {"r1/a.mp4": os.urandom(400_000), "r2/a.mp4": os.urandom(5), "r2/會議.mp4": b""}
    store = S3Store(s3_config(moto))
    for key, data in contents.items():
        (tmp_path / "f").write_bytes(data)
        await store.put_file(key, tmp_path / "f", "video/mp4")
    await store.close()
    with media_server("s3", moto, BUCKET) as (_, url):
        answer = httpx.get(f"{url}/zip", params={"key": list(contents)}, timeout=30)
    assert answer.headers["content-length"] == str(len(answer.content))
    assert "transfer-encoding" not in answer.headers
    archive = tmp_path / "all.zip"
    archive.write_bytes(answer.content)
    assert unzip_test(archive).returncode == 0
    with zipfile.ZipFile(archive) as opened:
        assert opened.testzip() is None
        assert opened.namelist() == ["a.mp4", "a (2).mp4", "會議.mp4"]
        assert [opened.read(info) for info in opened.infolist()] == list(contents.values())


def test_nothing_and_something_missing(tmp_path: Path) -> None:
    with media_server("fs", str(tmp_path)) as (_, url):
        empty = httpx.get(f"{url}/zip", timeout=30)
        missing = httpx.get(f"{url}/zip", params={"key": "no.mp4"}, timeout=30)
    (tmp_path / "empty.zip").write_bytes(empty.content)
    with zipfile.ZipFile(tmp_path / "empty.zip") as opened:
        assert opened.namelist() == []
    assert "zipfile is empty" in unzip_test(tmp_path / "empty.zip").stdout + unzip_test(tmp_path / "empty.zip").stderr
    assert missing.status_code == 404


def download_sparse(url: str, target: Path) -> int:
    """Fetch into a file whose zero blocks take no disk; returns the announced length."""
    parsed = httpx.URL(url)
    zeros = bytes(BLOCK)
    buffer = bytearray(BLOCK)
    with socket.create_connection((parsed.host, parsed.port or 80), timeout=60) as link, target.open("wb") as file:
        link.sendall(f"GET {parsed.raw_path.decode()} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        head = b""
        while b"\r\n\r\n" not in head:
            head += link.recv(1)
        length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        while count := link.recv_into(buffer):
            if buffer[:count] == zeros[:count]:
                file.seek(count, os.SEEK_CUR)
            else:
                file.write(memoryview(buffer)[:count])
        file.truncate(file.tell())
    return length


def crc_of_big() -> int:
    """CRC of `head`, zeros, `tail`, BIG bytes in all, without the code under test."""
    zeros = bytes(BLOCK)
    left = BIG - 8
    crc = isal_zlib.crc32(b"head")
    while left:
        crc = isal_zlib.crc32(zeros[:left] if left < BLOCK else zeros, crc)
        left -= min(left, BLOCK)
    return int(isal_zlib.crc32(b"tail", crc))


@pytest.mark.skipif("MEET_SOAK_CYCLES" not in os.environ, reason="part of `make soak`: reads and writes 8 GiB")
@pytest.mark.timeout(240)
def test_zip64_with_a_sparse_entry_over_4_gib(tmp_path: Path) -> None:
    big, small = tmp_path / "big.mp4", tmp_path / "small.mp4"
    with big.open("wb") as file:
        file.write(b"head")
        file.truncate(BIG - 4)
        file.seek(0, os.SEEK_END)
        file.write(b"tail")
    small.write_bytes(b"after the big one")
    archive = tmp_path / "all.zip"
    with media_server("fs", str(tmp_path)) as (_, url):
        announced = download_sparse(f"{url}/zip?key={quote('big.mp4')}&key=small.mp4", archive)
    assert announced == archive.stat().st_size
    with zipfile.ZipFile(archive) as opened:
        assert opened.getinfo("big.mp4").file_size == BIG
        assert crc_of_big() == opened.getinfo("big.mp4").CRC
        assert opened.getinfo("small.mp4").header_offset > 2**32
        assert opened.read("small.mp4") == b"after the big one"
    # Info-ZIP finds its way past 4 GiB; the big entry's own CRC is checked above, in a tenth of unzip's time.
    result = unzip_test(archive, "small.mp4")
    assert result.returncode == 0, result.stdout
    assert "small.mp4" in result.stdout
