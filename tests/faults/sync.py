"""`python -m tests.faults.sync [--minutes 20] [--report FILE]`: a long meeting, judged by flashes and beeps in its MP4.

One robot is there all the time, another one comes after a quarter of it. Ends with 1 when sound and picture of somebody
are apart by more than is promised, drift apart, or the recorder grows. Marks that a robot itself was late with do not
count, and when most are such, the machine was too busy to tell anything: that is 1, too.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import psutil

from meet.demo.api import Api
from meet.demo.robot import Robot
from meet.demo.server import Server
from tests.faults.drift import drift
from tests.support import media

MEDIAN_S: Final = 0.08
WORST_S: Final = 0.15
DRIFT_S_PER_HOUR: Final = 0.02
GROWTH: Final = 1.1
_EVERY: Final = 40
_MIDDLE: Final = slice(240 // _EVERY, 480 // _EVERY)
"""Rows in which there is a tile, whether one fills the picture or two lie side by side."""
_LEFT: Final = (_MIDDLE, slice(0, 1280 // _EVERY // 2))
_RIGHT: Final = (_MIDDLE, slice(1280 // _EVERY // 2, 1280 // _EVERY))
_SETTLED_S: Final = 5.0
_WARM_S: Final = 20.0
_LONG_S: Final = 900.0
"""Shorter recordings tell nothing about drift."""
PERIOD_S: Final = 1 + 1 / 900
"""Between two marks. A flash is seen to a thirtieth of a second, and at exact seconds it would always err by the same
part of that, until a millisecond more or less makes it another one; thus thirty of them in a row err evenly."""
_BAND_S: Final = 0.01
"""Sound may wander from one side to the other of the 5 ms by which nothing is corrected; hours on a fake clock (among
the unit tests) tell that it goes no further."""
_BLOCK: Final = 30
_SHOWN: Final = 5


@dataclass(frozen=True)
class Meeting:
    """A recording's MP4, when (in it, s) the late one came, and the recorder's resident bytes while it was made.

    begins_s: its time zero after mark 0, as the API has it. spoilt: the marks that a robot was late with.
    """

    path: Path
    late_s: float
    resident: list[int]
    begins_s: float
    spoilt: set[int]


async def meet(minutes: float, folder: Path) -> Meeting:
    """Hold it and fetch what was recorded. Raises RuntimeError when there is nothing."""
    seconds = minutes * 60
    resident: list[int] = []
    async with Server(folder / "data") as server, Api(server.url, server.api_key) as api:
        room = await api.create_room("Sync")
        epoch, epoch_ms = time.monotonic(), time.time() * 1000
        url, early = await api.join_token(room, "Early")
        _, late = await api.join_token(room, "Late")
        async with Robot(url, early, epoch=epoch, period_s=PERIOD_S) as first:
            recording = await api.start_recording(room["roomId"])
            begun = time.monotonic()
            recorder = _recorder(server, recording["recordingId"])
            await asyncio.sleep(seconds / 4)
            async with Robot(url, late, hue=160, tone_hz=330, epoch=epoch, period_s=PERIOD_S) as second:
                late_s = time.monotonic() - begun
                while (left := begun + seconds - time.monotonic()) > 0:
                    if time.monotonic() - begun > min(_WARM_S, seconds / 2):
                        resident.append(recorder.memory_info().rss)
                    await asyncio.sleep(min(5.0, left))
                await api.stop_recording(recording["recordingId"])
        final = await api.wait_for(recording["recordingId"], "complete", "failed", "aborted", timeout_s=300)
        if final["status"] != "complete":
            raise RuntimeError(f"the recording is {final['status']}")
        path = folder / "sync.mp4"
        await api.download(recording["recordingId"], path, lambda _done, _total: None)
    return Meeting(path, late_s, resident, (final["startDate"] - epoch_ms) / 1000, first.spoilt | second.spoilt)


def _recorder(server: Server, recording_id: str) -> psutil.Process:
    title = f"meet recorder {recording_id}"
    children = psutil.Process(server.pid).children(recursive=True)
    return next(child for child in children if title in " ".join(child.cmdline()))


def judge(meeting: Meeting, seconds: float) -> dict[str, Any]:
    """The numbers for people."""
    decoded = media.decode(meeting.path, _EVERY)
    sounds = np.array(media.beeps(decoded))
    result: dict[str, Any] = {"minutes": round(seconds / 60, 1), "people": {}, "broken_promises": []}
    broken = result["broken_promises"]
    for who, region, since in (("early", _LEFT, 0.0), ("late", _RIGHT, meeting.late_s + _SETTLED_S)):
        seen = np.array([at for at in media.flashes(decoded, region) if at >= since])
        apart = np.array([sounds[np.abs(sounds - at).argmin()] - at for at in seen])
        mark = _numbers(seen, meeting.begins_s)
        spoilt = meeting.spoilt | {number + 1 for number in meeting.spoilt}  # it may have been shown as late as that
        fair = ~np.isin(mark, list(spoilt))
        heard = fair & (np.abs(apart) < 0.5 * PERIOD_S)
        due = set(range(int(mark.min()), int(mark.max()) + 1)) if len(mark) else set()
        to_hear = len(due - spoilt)
        if to_hear < 0.5 * (seconds - since - 2) / PERIOD_S:
            broken.append(f"{who}: only {to_hear} marks were sent in time, the machine is too busy")
            continue
        if heard.sum() < 0.9 * to_hear:
            missing = sorted(due - spoilt - set(mark[heard].tolist()))
            broken.append(f"{who}: {int(heard.sum())} flashes with a beep of {to_hear}; not {missing}")
            continue
        at, apart, mark = seen[heard], apart[heard], mark[heard]
        middle, worst = float(np.median(apart)), float(np.abs(apart).max())
        slope, bar = drift(at, apart, _BLOCK) if seconds >= _LONG_S else (0.0, 0.0)
        result["people"][who] = {
            "marks": len(at),
            "spoilt": sorted(due & meeting.spoilt),
            "median_ms": round(middle * 1000),
            "worst_ms": round(worst * 1000),
            "worst": [
                {"at_s": round(float(at[i]), 1), "mark": int(mark[i]), "apart_ms": round(float(apart[i]) * 1000)}
                for i in np.argsort(-np.abs(apart))[:_SHOWN]
            ],
            "drift_ms_per_hour": [round(slope * 1000, 1), round(bar * 1000, 1)] if seconds >= _LONG_S else None,
        }
        if abs(middle) > MEDIAN_S or worst > WORST_S:
            broken.append(f"{who}: sound and picture are apart")
        allowed = DRIFT_S_PER_HOUR + _BAND_S / (seconds / 3600)
        if abs(slope) - bar > allowed:
            broken.append(f"{who}: sound and picture drift apart")
        elif bar > allowed:
            broken.append(f"{who}: too unsteady to tell about drift")
    if meeting.resident:
        first, last = meeting.resident[0], max(meeting.resident[-3:])
        result["resident_mb"] = [first >> 20, last >> 20]
        if last > GROWTH * first:
            broken.append("the recorder grows")
    return result


def _numbers(seen: npt.NDArray[np.float64], begins_s: float) -> npt.NDArray[np.int64]:
    """Which marks these are; all are off by the same part of a period."""
    if not len(seen):
        return np.zeros(0, np.int64)
    part = float(np.angle(np.exp(2j * np.pi * seen / PERIOD_S).mean())) / (2 * np.pi) * PERIOD_S
    before = round((begins_s + part) / PERIOD_S)
    numbers: npt.NDArray[np.int64] = np.rint((seen - part) / PERIOD_S).astype(np.int64) + before
    return numbers


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--report", type=Path)
    options = parser.parse_args()
    os.environ["MEET_RATE_LIMITS"] = "false"
    with tempfile.TemporaryDirectory(prefix="meet-sync-") as folder:
        meeting = asyncio.run(meet(options.minutes, Path(folder)))
        result = judge(meeting, options.minutes * 60)
    print(json.dumps(result, indent=2))
    if options.report is not None:
        options.report.write_text(json.dumps(result, indent=2) + "\n")
    return 1 if result["broken_promises"] else 0


if __name__ == "__main__":
    sys.exit(main())
