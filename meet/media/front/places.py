"""Unix sockets of front and workers, all in the `run` folder of the data directory."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Places:
    """Paths; workers count from 0."""

    run: Path

    @property
    def link(self) -> Path:
        """Where workers find the front (`channel`)."""
        return self.run / "media-front.link"

    @property
    def api(self) -> Path:
        """Where the front answers workers over HTTP (egress control)."""
        return self.run / "media-front.sock"

    @property
    def rooms(self) -> Path:
        """Folder of the kept rooms, one for all workers: each file says whose it is."""
        return self.run / "rooms"

    def worker(self, index: int) -> Path:
        """Where a worker answers server API calls."""
        return self.run / f"media-{index}.sock"

    def metrics(self, index: int) -> Path:
        """Where a worker tells its metrics."""
        return self.run / f"media-{index}-metrics.sock"
