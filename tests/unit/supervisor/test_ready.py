"""A child ends with its supervisor, whatever the supervisor's process id is."""

from __future__ import annotations

import os

from meet.supervisor.ready import _is_broken


def test_a_pipe_tells_whether_the_supervisor_is_still_there() -> None:
    reading, writing = os.pipe()
    try:
        assert not _is_broken(writing)
        os.close(reading)
        assert _is_broken(writing)
    finally:
        os.close(writing)
    assert _is_broken(writing)
