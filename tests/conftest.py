"""How `make test` shares the tests between two workers (pytest-xdist, `--dist loadscope`)."""

from __future__ import annotations

import atexit
import os
import re
import sys
import time
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling

# Servers that tests start have one media process, which starts sooner, unless a test says otherwise or is about that.
os.environ.setdefault("MEET_MEDIA_PROCESSES", "1")
# A recorder is ready after a second of CPU time; on a machine with ten times as much to do as it can that takes longer
# than users are made to wait.
os.environ.setdefault("MEET_RECORDING_START_TIMEOUT", "90s")
# And such a machine would refuse a second recording beside the first (tests/unit/recorder/control is about that).
os.environ.setdefault("MEET_RECORDING_MAX_CPU", "0")

# The same examples in every run, however slow the machine: `make fuzz` and tests/fuzz/media look further.
settings.register_profile(
    "meet", deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("meet")


def _let_the_sdk_end() -> None:
    """A native thread of the livekit SDK that waits for the GIL when Python ends aborts the whole process.

    The SDK stops its threads in an exit handler of its own, which comes before this one: handlers run last in, first
    out. What it has under way then gets the time to return, or a run whose tests all passed may end as "Fatal Python
    error: Aborted".
    """
    if "livekit.rtc" in sys.modules:
        time.sleep(0.5)


atexit.register(_let_the_sdk_end)

_MEETINGS: Final = re.compile(r"tests/(faults|e2e/(media|test_(?!cli|serve|s3|webhooks)))")
"""These judge media in real time: never two of them at once on two cores. Pages and everything else fill the gaps."""


class _Scheduling(LoadScopeScheduling):  # type: ignore[misc]  # xdist ships no types
    """A module is one unit of work, and so are all meetings together."""

    def _split_scope(self, nodeid: str) -> str:
        return "meetings" if _MEETINGS.match(nodeid) else nodeid.partition("::")[0]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> _Scheduling:
    return _Scheduling(config, log)
