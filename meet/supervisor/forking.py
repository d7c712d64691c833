"""The fork server's side: a process with everything imported and a single thread, which makes others in milliseconds.

What it makes is not its child but the supervisor's: it is forked twice, and the supervisor adopts orphans
(`PR_SET_CHILD_SUBREAPER`, prctl(2)). So the supervisor waits for it and signals it as it does what it has spawned, it
dies with the supervisor, and the fork server may be killed at any moment. Requests are datagrams of one byte with two
descriptors: the new process's lifeline, and the pipe that will tell it what to do. The answer is its pid, or why there
is none.
"""

from __future__ import annotations

import os
import socket
import sys
import time
from pathlib import Path
from typing import Final, NoReturn

from meet.supervisor import ready

_ADOPTION_LOOK_S: Final = 0.001
_THREADS: Final = Path("/proc/self/task")


def serve(descriptor: int) -> int:
    """Fork whenever the supervisor asks at the other end of this socket.

    Returns in the processes that are made, never in the fork server itself: the descriptor they are told by. Exits
    without a word when the supervisor hangs up, and with one if there are threads, which a fork would leave behind."""
    if (threads := len(list(_THREADS.iterdir()))) > 1:
        print(f"meet: {threads} threads run in the fork server", file=sys.stderr)  # noqa: T201
        raise SystemExit(1)
    ready.notify()
    with socket.socket(fileno=descriptor) as channel:
        supervisor = os.getppid()
        while True:
            request, passed, _, _ = socket.recv_fds(channel, 1, 2)
            if not request:
                os._exit(0)
            lifeline, orders = passed
            between = _fork(channel)
            if between == 0:
                _become(channel, supervisor, lifeline)
                return orders
            os.close(lifeline)
            os.close(orders)
            if between is not None:
                os.waitpid(between, 0)


def told(descriptor: int) -> str:
    """What the supervisor wants done; empty when it has ended, or needs this process no more."""
    with open(descriptor, closefd=descriptor > 2) as orders:
        return orders.readline().strip()


def _fork(channel: socket.socket) -> int | None:
    try:
        return os.fork()
    except OSError as error:
        channel.send(str(error.strerror).encode())
        return None


def _become(channel: socket.socket, supervisor: int, lifeline: int) -> None:
    """Between the fork server and the process that is wanted. Returns in that one, as a child of the supervisor."""
    between = os.getpid()
    if _fork(channel) != 0:
        os._exit(0)
    while os.getppid() == between:
        time.sleep(_ADOPTION_LOOK_S)
    if os.getppid() != supervisor:
        _refuse(channel, "the supervisor does not adopt orphans")
    os.setpgid(0, 0)  # as those that are spawned
    os.environ[ready.READY_FD_VARIABLE] = str(lifeline)
    ready.die_with_parent()  # not before: it counts for the parent that one has at that moment
    channel.send(str(os.getpid()).encode())


def _refuse(channel: socket.socket, reason: str) -> NoReturn:
    try:
        channel.send(reason.encode())
    finally:
        os._exit(1)
