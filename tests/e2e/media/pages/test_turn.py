"""Debian's coturn between a browser and the media server, with the credentials that clients are given at the join."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from meet.media.gateway.turn import TurnConfig
from meet.media.main import MediaConfig, MediaServer
from tests.e2e.media.conftest import KEY, SECRET
from tests.e2e.media.pages.acts import advances, holds
from tests.e2e.media.pages.conftest import Enter, page_routes, thorough
from tests.support.ports import free_port

COTURN = shutil.which("turnserver")
pytestmark = [thorough, pytest.mark.skipif(COTURN is None, reason="no coturn here")]

RELAY_ONLY = {"rtcConfig": {"iceTransportPolicy": "relay"}}


@pytest.fixture
def secret() -> str:
    """What the media server makes credentials with."""
    return "turn-secret"


@pytest.fixture(params=["udp", "tcp"])
def protocol(request: pytest.FixtureRequest) -> str:
    """Between the browser and the TURN server; from there on it is always UDP."""
    return str(request.param)


@pytest.fixture
async def coturn(tmp_path: Path) -> AsyncIterator[int]:
    """The port of a running coturn."""
    assert COTURN is not None
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        *(COTURN, "-n", "--listening-ip=127.0.0.1", "--relay-ip=127.0.0.1", f"--listening-port={port}"),
        *("--use-auth-secret", "--static-auth-secret=turn-secret", "--realm=meet", "--no-tls", "--no-dtls", "--no-cli"),
        *(
            "--allow-loopback-peers",
            f"--pidfile={tmp_path / 'pid'}",
            f"--userdb={tmp_path / 'db'}",
            "--log-file=stdout",
        ),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert process.stdout is not None
    reading = asyncio.create_task(process.stdout.read())
    async with asyncio.timeout(60):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except ConnectionRefusedError:
                await asyncio.sleep(0.1)
            else:
                writer.close()
                await writer.wait_closed()
                break
    yield port
    process.terminate()
    await reading
    await process.wait()


@pytest.fixture
async def media(coturn: int, secret: str, protocol: str) -> AsyncIterator[MediaServer]:
    turn = TurnConfig((f"turn:127.0.0.1:{coturn}?transport={protocol}",), secret)
    config = MediaConfig(keys={KEY: SECRET}, port=0, rtc_port=0, turn=turn)
    server = MediaServer(config, page_routes)
    await server.start()
    yield server
    await server.stop()


@pytest.mark.parametrize("single", [True, False], ids=["v1", "v0"])
async def test_media_through_a_relay(enter: Enter, single: bool, protocol: str) -> None:
    alice = await enter("alice", single=single, connect=RELAY_ONLY)
    bob = await enter("bob", single=single, connect=RELAY_ONLY)
    for page, other in ((alice, "bob"), (bob, "alice")):
        await advances(page, f"video {other}", width=320)
        await holds(page, "p => seen.peaks[p] > 0.1", other)
        assert await page.evaluate("route()") == ["relay", protocol]


class TestWrongSecret:
    @pytest.fixture
    def secret(self) -> str:
        return "another-secret"

    @pytest.fixture
    def protocol(self) -> str:
        return "udp"

    async def test_there_is_no_relay(self, enter: Enter) -> None:
        with pytest.raises(Exception, match="could not establish pc connection"):
            await enter("alice", single=True, connect={**RELAY_ONLY, "peerConnectionTimeout": 3000, "maxRetries": 0})
