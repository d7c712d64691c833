"""The child's side of supervision: say "ready" once, die with the parent, fail with one clear line."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import select
import signal
import sys
from typing import Final, NoReturn

READY_FD_VARIABLE: Final = "MEET_READY_FD"
EXIT_CONFIG: Final = 78
"""sysexits.h EX_CONFIG: starting again would fail in the same way, so the supervisor gives up."""

_BEAT_S: Final = 1.0
_PR_SET_PDEATHSIG: Final = 1


_kept: int | None = None


def notify(*, will_beat: bool = False) -> None:
    """Tell the supervisor that this process serves. Does nothing when it was started by hand.

    will_beat: the process goes on to call `beat` every second, and wants to be killed when it cannot any more."""
    global _kept
    descriptor = os.environ.pop(READY_FD_VARIABLE, None)
    if descriptor is not None:
        with contextlib.suppress(OSError):
            os.write(int(descriptor), b"ready\n")
            if will_beat:
                _kept = int(descriptor)
                os.set_blocking(_kept, False)
            else:
                os.close(int(descriptor))


def serving() -> None:
    """`notify`, and from then on `beat` as long as the event loop turns on which this is called."""
    notify(will_beat=True)
    loop = asyncio.get_running_loop()

    def again() -> None:
        beat()
        loop.call_later(_BEAT_S, again)

    again()


def beat() -> None:
    """Still alive. Never blocks, and does nothing without a supervisor."""
    if _kept is not None:
        with contextlib.suppress(OSError):
            os.write(_kept, b".")


def die_with_parent() -> None:
    """Ask Linux for SIGKILL when the supervisor dies, so that a new one never meets old children.

    Nothing is lost by so hard an end: a recording continues from its journal.
    """
    descriptor = os.environ.get(READY_FD_VARIABLE)
    if descriptor is None or not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    # It may be dead already. Its pid would not tell: in a container the supervisor itself can be process 1.
    if _is_broken(int(descriptor)):
        os._exit(1)


def _is_broken(pipe: int) -> bool:
    """Whether nobody holds the reading end any more."""
    poll = select.poll()
    poll.register(pipe, 0)
    return any(event & (select.POLLERR | select.POLLNVAL) for _, event in poll.poll(0))


def fail(message: str) -> NoReturn:
    """End with a configuration error: one line for the operator, no traceback, no restart."""
    print(f"meet: {message}", file=sys.stderr)  # noqa: T201
    raise SystemExit(EXIT_CONFIG)
