"""One process per recording, restarted until it exits 0, and warm spares, so that (re)starting costs no imports."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import structlog

from meet.recorder.jsonfile import read_object
from meet.recorder.quarantine import note
from meet.supervisor.child import Child, Running, spawn
from meet.supervisor.lifeline import ChildFailed

log = structlog.get_logger(__name__)

SPARES: Final = 2
"""One for the next start and one for whoever dies meanwhile."""
_REFILL_AFTER_S: Final = 0.5
_REFILL_RETRY_S: Final = 5.0
_FIRST_BEAT_S: Final = 10.0
_COMING_S: Final = 3.0
_SPARE_TIMEOUT_S: Final = 30.0
"""A spare that is not ready by then hangs, in an import from a disk that stands still for instance."""

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
        self._spares: list[Running] = []
        self._coming: asyncio.Future[None] | None = None
        self._refill: asyncio.Task[None] | None = None
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
            self._warm(at_once=True)

    def recover(self) -> None:
        """Start a recorder for every unfinished recording."""
        for egress_id in self.unfinished():
            log.info("recording_recovery_started", egress_id=egress_id)
            self._launch(egress_id)

    def warm(self) -> None:
        """Have the spares started, now that everything serves."""
        self._warm()

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
            warm=lambda: self._from_spare(egress_id),
            on_failure=self._count,
        )
        child.launch()
        self._track(egress_id, child)

    def _count(self, failure: str) -> None:
        self.restarts[failure] += 1

    async def _from_spare(self, egress_id: str) -> Running | None:
        """A spare that has been told to do this recording, or None when there is no live one."""
        if not self._spares and self._coming is not None:
            # It will be there before another one could be, unless it hangs.
            await asyncio.wait({self._coming}, timeout=_COMING_S)
            await asyncio.sleep(0)
        while self._spares and not self._closing:
            process, lifeline = self._spares.pop(0)
            self._warm()
            if process.returncode is not None or process.stdin is None:
                continue
            with contextlib.suppress(OSError):
                process.stdin.write(f"{egress_id}\n".encode())
                await process.stdin.drain()
                process.stdin.close()
                lifeline.expect(_FIRST_BEAT_S)
                return process, lifeline
        return None

    def _track(self, egress_id: str, child: Child) -> None:
        self._running[egress_id] = child

        async def forget() -> None:
            await child.finished.wait()
            self._running.pop(egress_id, None)

        task = asyncio.create_task(forget())
        self._watchers.add(task)
        task.add_done_callback(self._watchers.discard)

    def _warm(self, *, at_once: bool = False) -> None:
        if not self._closing and (self._refill is None or self._refill.done()):
            self._refill = asyncio.create_task(self._warm_spares(0.0 if at_once else _REFILL_AFTER_S))

    async def _warm_spares(self, delay_s: float) -> None:
        # Not at once: the recorder that was just started needs the core for its first frames.
        await asyncio.sleep(delay_s)
        while not self._closing and len(self._spares) < SPARES:
            try:
                await self._warm_one()
            except (ChildFailed, TimeoutError) as error:
                log.warning("warm_recorder_failed", reason=str(error) or "not ready in time")
                await asyncio.sleep(_REFILL_RETRY_S)

    async def _warm_one(self) -> None:
        process, lifeline = await spawn(("recorder", "--standby"), self._env, stdin=asyncio.subprocess.PIPE)
        self._coming = lifeline.ready
        try:
            await asyncio.wait_for(asyncio.shield(lifeline.ready), _SPARE_TIMEOUT_S)
        except BaseException:
            await _end(process)
            raise
        finally:
            self._coming = None
        if self._closing:
            await _end(process)
        else:
            self._spares.append((process, lifeline))

    async def close(self, timeout_s: float) -> None:
        """Ask every recorder to finish into storage; those not done in time continue at the next start.

        Continuing ones are killed: what a recorder does to be able to go on, it does all the time."""
        self._closing = True
        if self._refill is not None:
            self._refill.cancel()
            await asyncio.wait({self._refill})
        for process, _ in self._spares:
            await _end(process)
        running = dict(self._running)
        if running and self._continuing:
            log.info("recordings_continue_at_next_start", count=len(running))
            await asyncio.gather(*(child.kill() for child in running.values()))
        elif running:
            log.info("recordings_finishing", count=len(running))
            await asyncio.gather(*(child.stop(timeout_s) for child in running.values()))
        for egress_id in running:
            note.forgive(self._spool / egress_id)


async def _end(spare: asyncio.subprocess.Process) -> None:
    if spare.returncode is None:
        spare.kill()
        await spare.wait()


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
