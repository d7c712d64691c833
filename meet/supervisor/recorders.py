"""One process per recording, restarted until it exits 0, and one warm spare so that a start costs no imports."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import structlog

from meet.supervisor.child import Child, ChildFailed, spawn

log = structlog.get_logger(__name__)

FINAL_STATES: Final = frozenset({"complete", "failed", "aborted", "limit_reached"})


class Recorders:
    """All recorder processes of this instance."""

    def __init__(self, spool: Path, env: Mapping[str, str]) -> None:
        self._spool = spool
        self._env = env
        self._running: dict[str, Child] = {}
        self._spare: asyncio.subprocess.Process | None = None
        self._refill: asyncio.Task[None] | None = None
        self._closing = False
        self._watchers: set[asyncio.Task[None]] = set()

    def unfinished(self) -> list[str]:
        """Egress ids in the spool whose state is not final: what a crash or a restart left to be finished."""
        if not self._spool.is_dir():
            return []
        return [path.name for path in sorted(self._spool.iterdir()) if path.is_dir() and not _is_final(path)]

    def recover(self) -> None:
        """Start a recorder for every unfinished recording, and warm the spare."""
        for egress_id in self.unfinished():
            log.info("recording_recovery_started", egress_id=egress_id)
            self._launch(egress_id)
        self._warm()

    async def start(self, egress_id: str) -> None:
        """Start the recorder of `egress_id`. Raises ValueError for an unknown spool entry or while closing."""
        if self._closing:
            raise ValueError("the server is shutting down")
        if not (self._spool / egress_id / "request.json").is_file():
            raise ValueError("no such recording in the spool")
        if egress_id in self._running:
            return
        spare, self._spare = self._spare, None
        if spare is not None and spare.returncode is None and spare.stdin is not None:
            with contextlib.suppress(OSError):
                spare.stdin.write(f"{egress_id}\n".encode())
                await spare.stdin.drain()
                spare.stdin.close()
                child = self._child(egress_id)
                child.adopt(spare)
                self._track(egress_id, child)
                self._warm()
                return
        self._launch(egress_id)
        self._warm()

    def _child(self, egress_id: str) -> Child:
        return Child(("recorder", egress_id), self._env, until_success=True)

    def _launch(self, egress_id: str) -> None:
        child = self._child(egress_id)
        child.launch()
        self._track(egress_id, child)

    def _track(self, egress_id: str, child: Child) -> None:
        self._running[egress_id] = child

        async def forget() -> None:
            await child.finished.wait()
            self._running.pop(egress_id, None)

        task = asyncio.create_task(forget())
        self._watchers.add(task)
        task.add_done_callback(self._watchers.discard)

    def _warm(self) -> None:
        if not self._closing and (self._refill is None or self._refill.done()):
            self._refill = asyncio.create_task(self._warm_spare())

    async def _warm_spare(self) -> None:
        # Not at once: the recorder that was just started needs the core for its first frames.
        await asyncio.sleep(1.0)
        if self._closing or (self._spare is not None and self._spare.returncode is None):
            return
        process, ready = await spawn(("recorder", "--standby"), self._env, stdin=asyncio.subprocess.PIPE)
        try:
            await ready
        except ChildFailed:
            log.warning("warm_recorder_failed")
            return
        if self._closing:
            process.kill()
            return
        self._spare = process

    async def close(self, timeout_s: float) -> None:
        """Ask every recorder to finish into storage; those not done in time continue at the next start."""
        self._closing = True
        if self._refill is not None:
            self._refill.cancel()
        if self._spare is not None and self._spare.returncode is None:
            self._spare.kill()
            await self._spare.wait()
        children = list(self._running.values())
        if children:
            log.info("recordings_finishing", count=len(children))
            await asyncio.gather(*(child.stop(timeout_s) for child in children))


def _is_final(path: Path) -> bool:
    try:
        return json.loads((path / "state.json").read_text()).get("status") in FINAL_STATES
    except FileNotFoundError:
        return not (path / "request.json").is_file()
    except ValueError:
        return False
