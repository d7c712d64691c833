"""Twenty deaths, and every recording is whole. `MEET_FAULT_SEED` repeats a run; `make soak` makes two hundred."""

from __future__ import annotations

import os
import random
import secrets
from pathlib import Path

import pytest

from meet.demo.server import Server
from tests.faults import campaign
from tests.faults.judge import verdict

MEETING = ["recorder"] * 8 + ["backend"] * 2 + ["media"] * 2 + ["front", "drain", "all"]


@pytest.fixture
def rng() -> random.Random:
    seed = os.environ.get("MEET_FAULT_SEED") or secrets.token_hex(4)
    print(f"MEET_FAULT_SEED={seed}")
    return random.Random(seed)


@pytest.mark.timeout(400)
async def test_twenty_kills_lose_next_to_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rng: random.Random
) -> None:
    monkeypatch.setenv("MEET_RATE_LIMITS", "false")
    monkeypatch.setenv("MEET_MEDIA_PROCESSES", str(campaign.MEDIA_PROCESSES))
    victims = rng.sample(MEETING, len(MEETING))
    async with Server(tmp_path / "data", args=campaign.fixed_ports()) as server:
        fire = await campaign.run(server, tmp_path, rng, victims, spacing_s=(0.2, 1.5))
        late = ["recorder", "front", "recorder", "backend"]
        ending = await campaign.run(server, tmp_path, rng, ["recorder"], spacing_s=(0.0, 1.0), late_victims=late)
    assert verdict(fire) == [], fire
    assert verdict(ending) == [], ending
    assert len(fire.kills) == len(victims)
    assert len(fire.kills) + len(ending.kills) >= 18
