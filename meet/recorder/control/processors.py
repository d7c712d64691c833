"""How busy the processors are: those of the machine, or as much of them as our control group may use."""

from __future__ import annotations

import os
import time
from collections import deque
from pathlib import Path
from typing import Final

WINDOW_S: Final = 10
"""So long it has to last: a shorter peak, a page that is opened say, is nothing to refuse a start for."""
_STAT: Final = Path("/proc/stat")
_GROUPS: Final = Path("/sys/fs/cgroup")
_OWN: Final = Path("/proc/self/cgroup")


class CpuMeter:
    """Share of all processors that was busy in the last seconds, from /proc/stat; or of what the control group may use.

    What runs at a low priority (nice) gives way, and does not count. group: one with `cpu.max` and `cpu.stat` of cgroup
    v2; None: none that limits anything."""

    def __init__(self, source: Path = _STAT, group: Path | None = None) -> None:
        self._source, self._group = source, group
        self.cores = float(os.cpu_count() or 1)
        self._machine: deque[tuple[float, float]] = deque(maxlen=WINDOW_S + 1)
        self._ours: deque[tuple[float, float]] = deque(maxlen=WINDOW_S + 1)
        """(Time that there was, time that was used) of each reading."""

    def sample(self) -> None:
        """Take a reading; call it once a second. What cannot be read is not known, and refuses nothing."""
        try:
            fields = [int(text) for text in self._source.read_text().split("\n", 1)[0].split()[1:9]]
            if len(fields) == 8:
                # user nice system idle iowait irq softirq steal; proc_stat(5)
                self._machine.append((sum(fields), sum(fields) - fields[1] - fields[3] - fields[4]))
        except (OSError, ValueError):
            pass  # not Linux
        if self._group is not None:
            try:
                quota, period = (int(text) for text in (self._group / "cpu.max").read_text().split())
                used = (self._group / "cpu.stat").read_text().split("usage_usec ", 1)[1].split("\n", 1)[0]
            except (OSError, ValueError, IndexError):
                return  # "max": no limit
            self.cores = min(float(os.cpu_count() or 1), quota / period)
            self._ours.append((time.monotonic() * 1e6 * quota / period, float(used)))

    @property
    def busy(self) -> float | None:
        """0 to 1, None while unknown: as long as less than half of `WINDOW_S` has been seen."""
        known = [share for share in (_share(self._machine), _share(self._ours)) if share is not None]
        return max(known) if known else None


def _share(readings: deque[tuple[float, float]]) -> float | None:
    if len(readings) <= WINDOW_S // 2:
        return None
    (there_before, used_before), (there, used) = readings[0], readings[-1]
    return min(1.0, (used - used_before) / (there - there_before)) if there > there_before else None


def own_group() -> Path | None:
    """The nearest control group of this process, or above it, that limits its processors; cgroups(7), version 2."""
    try:
        line = next(line for line in _OWN.read_text().splitlines() if line.startswith("0::"))
    except (OSError, StopIteration):
        return None
    group = _GROUPS / line.removeprefix("0::").strip("/")
    for candidate in (group, *group.parents):
        if not candidate.is_relative_to(_GROUPS):
            break
        try:
            if not (candidate / "cpu.max").read_text().startswith("max"):
                return candidate
        except OSError:
            continue
    return None
