"""One process per recording, restarted until it exits 0."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import structlog

from meet.recorder.jsonfile import read_object
from meet.recorder.quarantine import note
from meet.supervisor.child import Child
from meet.supervisor.spares import Spares

log = structlog.get_logger(__name__)

STORED_STATES: Final = frozenset({"complete", "limit_reached"})
FINAL_STATES: Final = frozenset({"complete", "failed", "aborted", "limit_reached"})


class Recorders:
    """All recorder processes of this instance."""

    def __init__(self, spool: Path, env: Mapping[str, str], *, continuing: bool = False) -> None:
        """continuing: what runs at the end is left for the next start, not finished."""
        self._spool = spool
        self._env = env
        self._continuing = continuing
        self._running: dict[str, Child] = {}
        self._spares = Spares(env)
        self._closing = False
        self._watchers: set[asyncio.Task[None]] = set()
        self.restarts: Counter[str] = Counter()
        """Recorders replaced, by what became of their processes (`Child`)."""

    def unfinished(self) -> list[str]:
        """Egress ids in the spool whose state is not final: what a crash or a restart left to be finished."""
        if not self._spool.is_dir():
            return []
        # A spool of its own file system has a lost+found, which is nobody's but root's.
        return [path.name for path in sorted(self._spool.glob("EG_*")) if path.is_dir() and _has_work(path)]

    def prepare(self) -> None:
        """Have a spare ready by the time the media server is, if a recording waits for it."""
        if self.unfinished():
            self._spares.warm(at_once=True)

    def recover(self) -> None:
        """Start a recorder for every unfinished recording."""
        for egress_id in self.unfinished():
            log.info("recording_recovery_started", egress_id=egress_id)
            self._launch(egress_id)

    def warm(self) -> None:
        """Have the spares started, now that everything serves."""
        self._spares.warm()

    async def start(self, egress_id: str) -> None:
        """Start the recorder of `egress_id`. Raises ValueError for an unknown spool entry or while closing."""
        if self._closing:
            raise ValueError("the server is shutting down")
        if not (self._spool / egress_id / "request.json").is_file():
            raise ValueError("no such recording in the spool")
        if egress_id not in self._running:
            self._launch(egress_id)

    def _launch(self, egress_id: str) -> None:
        child = Child(
            ("recorder", egress_id),
            self._env,
            until_success=True,
            warm=lambda: self._spares.take(egress_id),
            on_failure=self._count,
        )
        child.launch()
        self._track(egress_id, child)

    def _count(self, failure: str) -> None:
        self.restarts[failure] += 1

    def _track(self, egress_id: str, child: Child) -> None:
        self._running[egress_id] = child

        async def forget() -> None:
            await child.finished.wait()
            self._running.pop(egress_id, None)

        task = asyncio.create_task(forget())
        self._watchers.add(task)
        task.add_done_callback(self._watchers.discard)

    async def close(self, timeout_s: float) -> None:
        """Ask every recorder to finish into storage; those not done in time continue at the next start.

        Continuing ones are killed: what a recorder does to be able to go on, it does all the time."""
        self._closing = True
        await self._spares.close()
        running = dict(self._running)
        if running and self._continuing:
            log.info("recordings_continue_at_next_start", count=len(running))
            await asyncio.gather(*(child.kill() for child in running.values()))
        elif running:
            log.info("recordings_finishing", count=len(running))
            await asyncio.gather(*(child.stop(timeout_s) for child in running.values()))
        for egress_id in running:
            note.forgive(self._spool / egress_id)


def _has_work(path: Path) -> bool:
    """Whether a recorder can do something there. One entry that nobody can read must not keep the server from starting.

    A stored recording whose composite is still there was killed while it cleaned up."""
    try:
        request, state = _object(path / "request.json"), _object(path / "state.json")
        status = str((state or {}).get("status"))
        if status not in FINAL_STATES:
            if request == {}:
                log.error("spool_entry_unreadable", egress_id=path.name, reason="request.json says nothing")
            return bool(request)
        return status in STORED_STATES and any(path.glob("composite.*"))
    except OSError as error:
        log.error("spool_entry_unreadable", egress_id=path.name, reason=error.strerror)
        return False


def _object(path: Path) -> dict[str, Any] | None:
    """The JSON object in a file; {} when it holds none, None when there is no file. Raises OSError."""
    try:
        return read_object(path) or {}
    except FileNotFoundError:
        return None
