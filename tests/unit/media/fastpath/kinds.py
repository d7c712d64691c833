"""Both implementations of the hot path, for tests that run on each."""

from __future__ import annotations

import pytest

from meet.media.fastpath import Outbox
from meet.media.fastpath.native import load

BOTH = ("python", "native")


def outbox_of(kind: str, *, segments: bool = True) -> Outbox | None:
    """None for Python; skips the test where the compiled one was not built."""
    if kind == "python":
        return None
    module, reason = load()
    if module is None:
        pytest.skip(f"no compiled fast path: {reason}")
    return Outbox(module, segments=segments)
