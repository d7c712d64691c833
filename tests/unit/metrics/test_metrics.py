"""The admin port over a real socket: the backend's own metrics, and the media server's behind them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from meet.media.main import Extension, MediaConfig, MediaServer
from meet.media.room import RoomRegistry
from meet.metrics import BackendMetrics, MetricsListener


async def answering(scope: Any, _receive: Any, send: Any) -> None:
    if scope["path"] == "/broken":
        raise OSError
    await send({"type": "http.response.start", "status": 404, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def call(app: BackendMetrics, method: str, path: str) -> None:
    async def nothing(*_: Any) -> None:
        return None

    await app({"type": "http", "method": method, "path": path}, nothing, nothing)


async def others() -> bytes:
    return b"# TYPE meet_others gauge\nmeet_others 5.0\n"


async def scrape(port: int) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    async with aiohttp.ClientSession() as http, http.get(f"http://127.0.0.1:{port}/metrics") as response:
        assert response.status == 200
        assert response.headers["Content-Type"].startswith("text/plain; version=")
        text = await response.text()
    families = list(text_string_to_metric_families(text))
    names = [f.name for f in families]
    assert len(names) == len(set(names)), "a name must not come from both processes"
    return {(s.name, frozenset(s.labels.items())): s.value for f in families for s in f.samples}


@pytest.fixture
def backend() -> BackendMetrics:
    return BackendMetrics(answering)


@pytest.fixture
async def listener(backend: BackendMetrics, tmp_path: Path) -> AsyncIterator[MetricsListener]:
    started = MetricsListener(backend, tmp_path / "media.sock")
    await started.start("127.0.0.1", 0)
    yield started
    await started.stop()


async def test_requests_are_counted(backend: BackendMetrics, listener: MetricsListener) -> None:
    await call(backend, "GET", "/a")
    await call(backend, "GET", "/b")
    await call(backend, "BREW", "/c")
    with pytest.raises(OSError):
        await call(backend, "GET", "/broken")
    seen = await scrape(listener.port)
    requests = {
        tuple(sorted(labels)): value for (name, labels), value in seen.items() if name.endswith("_requests_total")
    }
    assert requests == {
        (("method", "GET"), ("status", "404")): 2,
        (("method", "GET"), ("status", "none")): 1,
        (("method", "other"), ("status", "404")): 1,
    }
    assert seen["meet_backend_request_seconds_count", frozenset({("method", "GET")})] == 3
    assert seen["meet_backend_process_open_fds", frozenset()] > 0


async def test_the_media_server_is_part_of_it(listener: MetricsListener, tmp_path: Path) -> None:
    assert (await scrape(listener.port))["meet_media_up", frozenset()] == 0
    config = MediaConfig(
        keys={"k": "s"}, port=0, rtc_host="127.0.0.1", rtc_port=0, metrics_socket=tmp_path / "media.sock"
    )

    async def extend(_registry: RoomRegistry) -> Extension:
        return Extension(metrics=others)

    server = MediaServer(config, extend)
    await server.start()
    try:
        assert (tmp_path / "media.sock").stat().st_mode & 0o777 == 0o600
        server.registry.create("a")
        async with aiohttp.ClientSession() as http:
            await (await http.get(f"http://127.0.0.1:{server.port}/rtc?access_token=bad")).read()
        seen = await scrape(listener.port)
    finally:
        await server.stop()
    none: frozenset[tuple[str, str]] = frozenset()
    assert (seen["meet_media_up", none], seen["meet_media_rooms", none]) == (1, 1)
    assert seen["meet_media_participants", frozenset({("hidden", "false")})] == 0
    assert seen["meet_media_joins_refused_total", frozenset({("reason", "token")})] == 1
    assert seen["meet_media_packets_total", frozenset({("direction", "in")})] == 0
    assert seen["meet_others", none] == 5


async def test_without_an_embedded_media_server(backend: BackendMetrics) -> None:
    listener = MetricsListener(backend, None)
    await listener.start("127.0.0.1", 0)
    try:
        assert not any(name.startswith("meet_media") for name, _ in await scrape(listener.port))
    finally:
        await listener.stop()
