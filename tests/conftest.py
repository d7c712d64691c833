"""How `make test` shares the tests between two workers (pytest-xdist, `--dist loadscope`)."""

from __future__ import annotations

import re
from typing import Any, Final

import pytest
from xdist.scheduler import LoadScopeScheduling

_MEETINGS: Final = re.compile(r"tests/(faults|e2e/(media|test_(?!cli)))")
"""These judge media in real time: never two of them at once on two cores. Pages and everything else fill the gaps."""


class _Scheduling(LoadScopeScheduling):  # type: ignore[misc]  # xdist ships no types
    """A module is one unit of work, and so are all meetings together."""

    def _split_scope(self, nodeid: str) -> str:
        return "meetings" if _MEETINGS.match(nodeid) else nodeid.partition("::")[0]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> _Scheduling:
    return _Scheduling(config, log)
