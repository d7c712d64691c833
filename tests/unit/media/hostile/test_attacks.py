"""Every attack of `tests.faults.flood`, small, one after the other, beside a meeting in another room."""

from __future__ import annotations

import asyncio

import psutil
import pytest

from meet.media.gateway import refusals
from meet.media.transport import udpmux, waiting
from tests.faults.flood.__main__ import Meeting
from tests.faults.flood.attacks import ATTACKS, Target
from tests.unit.media.gateway.client import running

SECONDS = 0.15
INSIDERS = 30


async def test_another_room_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (refusals, waiting):  # loopback is not limited otherwise
        monkeypatch.setattr(module, "source", lambda host: host or "")
    monkeypatch.setattr(refusals, "BURST", 5)
    process = psutil.Process()
    async with running() as server:
        meeting = Meeting(server.port, server.rtc_port)
        await meeting.begin()
        memory, files = process.memory_info().rss, process.num_fds()
        for name, (attack, rate) in ATTACKS.items():
            target = Target(server.port, server.rtc_port, SECONDS, rate)
            assert await attack(target) > 0, name
            mux = server.mux
            assert len(mux._paths) <= 2 + INSIDERS, name
            assert len(mux._by_ufrag) <= 2 * (2 + INSIDERS), name
            assert len(mux._by_address) <= udpmux._MAX_PATHS_PER_PEER * (2 + INSIDERS), name
            _, arrived = meeting.mark()
            async with asyncio.timeout(40):  # both pictures and sounds still come
                while meeting.mark()[1] < arrived + 6:
                    await asyncio.sleep(0.02)
            await target.close()
        assert process.memory_info().rss - memory < 64 << 20
        assert process.num_fds() - files < 50
        metrics = server.metrics
        for counter, reason in ((metrics.refused, "rate"), (metrics.transport_failures, "data_channels")):
            assert counter.labels(reason)._value.get() > 0, reason
        await meeting.end()
