"""What pausing, composing later and integrity facts ask of the outside: our own recorder, and the database."""

from __future__ import annotations

from typing import Protocol

from .model.encoding import Encoding, Layout
from .model.recording import Egress
from .model.recording_facts import Compose, RecordingFacts


class Recorder(Protocol):
    """Our recorder, beyond what LiveKit's API has words for; `meet.livekit.recorder`.

    Every method raises RecorderMissing when the media server is somebody else's, and MediaServerError."""

    async def start(
        self, room: str, *, layout: Layout, encoding: Encoding, key: str, compose: Compose, audio_only: bool = False
    ) -> Egress:
        """As `MediaServer.start_room_composite`. Raises RecordingRefused."""
        ...

    async def set_paused(self, egress_id: str, paused: bool) -> RecordingFacts:
        """Pause, or go on; returns when the recorder has. Raises EgressNotFound, EgressNotActive, EgressSilent."""
        ...

    async def facts(self, egress_id: str) -> RecordingFacts | None:
        """What is known of a recording, of finished ones for seven days; None when nothing is."""
        ...


class RecordingFactsRepository(Protocol):
    """Facts of finished recordings, kept with them."""

    async def get(self, recording_id: str) -> RecordingFacts | None:
        """None: they were not asked for yet."""
        ...

    async def keep(self, recording_id: str, facts: RecordingFacts) -> bool:
        """Once and for all; False when there are some already, or the recording is gone or not over."""
        ...

    async def missing(self, since: int, limit: int) -> list[tuple[str, str]]:
        """Recording and egress ids of at most `limit` that were completed since then (ms) and have none."""
        ...
