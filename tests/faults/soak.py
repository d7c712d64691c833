"""`python -m tests.faults.soak [--kills 200] [--seed S] [--report FILE]`: meeting after meeting under fire.

Ends with 1 when a promise was broken; prints what docs/reliability.md quotes.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import secrets
import statistics
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Final

from meet.demo.server import Server
from tests.faults import campaign
from tests.faults.judge import Outcome, verdict

PER_MEETING: Final = 12
WEIGHTS: Final = {"recorder": 5, "backend": 2, "media": 2, "front": 1, "drain": 1, "all": 1}


async def soak(kills: int, seed: str, directory: Path) -> list[Outcome]:
    """Meetings until `kills` processes were killed."""
    rng = random.Random(seed)
    outcomes: list[Outcome] = []
    env = {"MEET_MEDIA_PROCESSES": str(campaign.MEDIA_PROCESSES)}
    async with Server(directory / "data", env=env, args=campaign.fixed_ports()) as server:
        while (left := kills - sum(len(outcome.kills) for outcome in outcomes)) > 0:
            victims = rng.choices(list(WEIGHTS), list(WEIGHTS.values()), k=min(PER_MEETING, left))
            late = rng.randint(0, min(4, len(victims) - 1))
            cut = len(victims) - late
            outcome = await campaign.run(
                server, directory, rng, victims[:cut], spacing_s=(0.1, 4.0), late_victims=victims[cut:]
            )
            outcomes.append(outcome)
            dead = Counter(kill.victim for kill in outcome.kills)
            print(f"{outcome.recording['recordingId']} {dict(dead)} {verdict(outcome) or 'whole'}", flush=True)
    return outcomes


def summary(outcomes: list[Outcome], seed: str, took_s: float) -> dict[str, object]:
    """The numbers for people."""
    lost = sorted(gap.lost_s / len(gap.kills) for outcome in outcomes for gap in outcome.gaps if gap.kills)
    return {
        "seed": seed,
        "minutes": round(took_s / 60, 1),
        "meetings": len(outcomes),
        "kills": dict(Counter(kill.victim for outcome in outcomes for kill in outcome.kills)),
        "complete": sum(outcome.recording["status"] == "complete" for outcome in outcomes),
        "kills_in_noticeable_gaps": sum(len(gap.kills) for outcome in outcomes for gap in outcome.gaps),
        "lost_s_per_kill_median": round(statistics.median(lost), 2) if lost else 0.0,
        "lost_s_per_kill_worst": round(lost[-1], 2) if lost else 0.0,
        "broken_promises": [line for outcome in outcomes for line in verdict(outcome)],
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", default=secrets.token_hex(4))
    parser.add_argument("--report", type=Path)
    options = parser.parse_args()
    os.environ["MEET_RATE_LIMITS"] = "false"
    print(f"seed {options.seed}", flush=True)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="meet-soak-") as directory:
        outcomes = asyncio.run(soak(options.kills, options.seed, Path(directory)))
    result = summary(outcomes, options.seed, time.monotonic() - started)
    print(json.dumps(result, indent=2))
    if options.report is not None:
        options.report.write_text(json.dumps(result, indent=2) + "\n")
    return 1 if result["broken_promises"] else 0


if __name__ == "__main__":
    sys.exit(main())
