"""Processes and slow clients for the storage tests."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import psutil

from tests.support.ports import free_port

ROOT = Path(__file__).parents[3]


@contextlib.contextmanager
def media_server(*arguments: str) -> Iterator[tuple[psutil.Process, str]]:
    """The `media_app` in its own process: (process, base URL)."""
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.functional.storage.media_app", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=ROOT,
    )
    try:
        assert child.stdout is not None
        port = int(child.stdout.readline())
        url = f"http://127.0.0.1:{port}"
        wait_until_answering(url)
        yield psutil.Process(child.pid), url
    finally:
        stop(child)


@contextlib.contextmanager
def moto_server() -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """A moto S3 server: (process, endpoint URL)."""
    port = free_port()
    child = subprocess.Popen(
        [str(Path(sys.executable).with_name("moto_server")), "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        url = f"http://127.0.0.1:{port}"
        wait_until_answering(url)
        yield child, url
    finally:
        stop(child)


def stop(child: subprocess.Popen[bytes]) -> None:
    child.kill()
    child.wait(10)
    if child.stdout is not None:
        child.stdout.close()


def wait_until_answering(url: str) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            httpx.get(url, timeout=5)
            return
        except httpx.TransportError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def connections_to(process: psutil.Process, url: str) -> int:
    """Established TCP connections of the process to the server at `url`."""
    port = httpx.URL(url).port
    return sum(
        1
        for connection in process.net_connections("tcp")
        if connection.status == psutil.CONN_ESTABLISHED and connection.raddr and connection.raddr.port == port
    )


@contextlib.asynccontextmanager
async def slow_readers(url: str, count: int) -> AsyncIterator[list[int]]:
    """`count` clients that ask for `url` and take 16 KiB four times a second each; yields the bytes each has got."""
    target = httpx.URL(url)
    got = [0] * count

    async def read(index: int) -> None:
        reader, writer = await asyncio.open_connection(target.host, target.port, limit=16 * 1024)
        try:
            writer.write(f"GET {target.raw_path.decode()} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            while data := await reader.read(16 * 1024):
                got[index] += len(data)
                await asyncio.sleep(0.25)
        finally:
            writer.transport.abort()

    tasks = [asyncio.create_task(read(index)) for index in range(count)]
    try:
        yield got
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
