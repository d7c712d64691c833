"""`python -m bench.api.run`: CPU per request of four operations, ours over Express 5 + zod + better-sqlite3.

Both servers do the same on databases of the same size: authenticate, validate, read or write SQLite (WAL,
synchronous=FULL), render the same JSON with an ETag. CPU is user plus system time of the server's process tree. Rounds
alternate between the two and the best of each counts, because the machine may be doing other things. The cost must
also not depend on how many rooms there are.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from bench.api import fixture, processes
from bench.api.load import drive, fetch, get, post
from tests.support.ports import free_port

KEY = "bench-key-0123456789"
JWT = ("APIbench", "bench-secret-0123456789-0123456789-0123456789")
CONNECTIONS = 16
SIZES = (100, 1_000, 10_000, 100_000)
TARGET = 0.8
FLAT = 0.2
BODY = {"roomName": "Bench", "config": {"recording": {"enabled": True, "layout": "speaker"}, "chat": {"enabled": True}}}


@dataclass(frozen=True)
class Operation:
    """`request(n)` is about the n-th room; `share` of the usual number of requests is enough."""

    name: str
    request: Callable[[int], bytes]
    status: int = 200
    share: float = 1.0


OPERATIONS = (
    Operation("GET room", lambda n: get(f"/api/v1/rooms/{fixture.room_id(n)}", KEY)),
    Operation("GET 20 rooms", lambda _: get("/api/v1/rooms?maxItems=20", KEY), share=0.5),
    Operation("POST room", lambda _: post("/api/v1/rooms", KEY, BODY), status=201, share=0.25),
    Operation(
        "POST token", lambda n: post(f"/internal-api/v1/rooms/{fixture.room_id(n)}/members/token", KEY, {}), share=0.5
    ),
)
Costs = dict[tuple[str, int, str], float]
"""(operation, rooms, server) -> CPU microseconds per request, the best round."""


async def measure(operations: Sequence[Operation], sizes: tuple[int, ...], requests: int, rounds: int) -> Costs:
    costs: Costs = {}
    with tempfile.TemporaryDirectory(prefix="meet-bench-") as scratch:
        for size in sizes:
            folder = Path(scratch) / str(size)
            for name in ("ours", "peer"):
                (folder / name).mkdir(parents=True)
            await fixture.fill(folder / "ours" / "meet.db", size, KEY)
            shutil.copy(folder / "ours" / "meet.db", folder / "peer" / "meet.db")
            await _measure_size(operations, folder, size, requests, rounds, costs)
            shutil.rmtree(folder)
    return costs


async def _measure_size(
    operations: Sequence[Operation], folder: Path, size: int, requests: int, rounds: int, costs: Costs
) -> None:
    starts = {
        "ours": processes.ours(folder / "ours", KEY, JWT),
        "peer": processes.peer(folder / "peer" / "meet.db", JWT),
    }
    with ExitStack() as stack:
        running = {}
        for name, (command, env) in starts.items():
            port = free_port()
            process = stack.enter_context(processes.server(command, env, port, folder / f"{name}.log"))
            running[name] = port, process
        for operation in operations:
            count = max(200, int(requests * operation.share))
            for round_ in range(rounds + 1):
                for name, (port, process) in running.items():
                    before = processes.cpu_seconds(process)
                    sent = count if round_ else count // 2  # the first round warms up
                    await drive(port, _some(operation, size, sent), status=operation.status, connections=CONNECTIONS)
                    cost = (processes.cpu_seconds(process) - before) / sent * 1e6
                    fixture.drop_new(folder / name / "meet.db", size)
                    if round_:
                        key = operation.name, size, name
                        costs[key] = min(cost, costs.get(key, cost))


def _some(operation: Operation, size: int, count: int) -> Iterator[bytes]:
    picked = random.Random(size)
    return (operation.request(picked.randrange(size)) for _ in range(count))


def report(costs: Costs, operations: Sequence[Operation], sizes: tuple[int, ...]) -> bool:
    """Prints the table; whether every target is met."""
    print(f"{'CPU us/request':<16}" + "".join(f"{size:>21,} rooms" for size in sizes) + "   100 000 / 100")
    met = True
    for operation in operations:
        cells = []
        for size in sizes:
            own, other = (costs[operation.name, size, name] for name in ("ours", "peer"))
            met &= own / other <= TARGET
            cells.append(f"{own:12.0f} /{other:6.0f} = {own / other:4.2f}")
        growth = costs[operation.name, sizes[-1], "ours"] / costs[operation.name, sizes[0], "ours"]
        met &= abs(growth - 1) <= FLAT
        print(f"{operation.name:<16}" + " ".join(cells) + f"{growth:13.2f}")
    print(f"ours / Express: target <= {TARGET} each, flat within {FLAT:.0%}: {'met' if met else 'MISSED'}")
    return met


async def same_answers() -> None:
    """Raises RuntimeError unless both servers answer the reads with the same fields."""
    with tempfile.TemporaryDirectory(prefix="meet-bench-") as scratch, ExitStack() as stack:
        folder = Path(scratch)
        await fixture.fill(folder / "meet.db", 30, KEY)
        shutil.copy(folder / "meet.db", folder / "peer.db")
        ports = []
        for command, env in (processes.ours(folder, KEY, JWT), processes.peer(folder / "peer.db", JWT)):
            ports.append(free_port())
            stack.enter_context(processes.server(command, env, ports[-1], folder / f"{len(ports)}.log"))
        for operation in OPERATIONS[:2]:
            answers = [(await fetch(port, operation.request(7)))[1] for port in ports]
            if answers[0] != answers[1]:
                raise RuntimeError(f"{operation.name} differs:\n{answers[0]!r}\n{answers[1]!r}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=8000, help="GET room requests per server and round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sizes", type=lambda text: tuple(map(int, text.split(","))), default=SIZES)
    parser.add_argument("--only", default="", help="operations with this text in their name")
    options = parser.parse_args()
    asyncio.run(same_answers())
    chosen = [each for each in OPERATIONS if options.only in each.name]
    costs = asyncio.run(measure(chosen, options.sizes, options.requests, options.rounds))
    report(costs, chosen, options.sizes)
    return 0


if __name__ == "__main__":
    sys.exit(main())
