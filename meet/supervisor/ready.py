"""The child's side of supervision: say "ready" once, die with the parent, fail with one clear line."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
from typing import Final, NoReturn

READY_FD_VARIABLE: Final = "MEET_READY_FD"
EXIT_CONFIG: Final = 78
"""sysexits.h EX_CONFIG: starting again would fail in the same way, so the supervisor gives up."""

_PR_SET_PDEATHSIG: Final = 1


def notify() -> None:
    """Tell the supervisor that this process serves. Does nothing when it was started by hand."""
    descriptor = os.environ.pop(READY_FD_VARIABLE, None)
    if descriptor is not None:
        with contextlib.suppress(OSError):
            os.write(int(descriptor), b"ready\n")
            os.close(int(descriptor))


def die_with_parent() -> None:
    """Ask Linux for SIGKILL when the supervisor dies, so that a new one never meets old children.

    Nothing is lost by so hard an end: a recording continues from its journal.
    """
    if READY_FD_VARIABLE not in os.environ or not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() == 1:
        os._exit(1)


def fail(message: str) -> NoReturn:
    """End with a configuration error: one line for the operator, no traceback, no restart."""
    print(f"meet: {message}", file=sys.stderr)  # noqa: T201
    raise SystemExit(EXIT_CONFIG)
