"""Our recorder without a recorder, beside either media server in memory."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from meet.core.errors import EgressNotActive, EgressNotFound
from meet.core.model.encoding import Encoding, Layout
from meet.core.model.recording import IN_PROGRESS, Egress
from meet.core.model.recording_facts import Compose, Integrity, RecordingFacts
from meet.core.recording_errors import EgressSilent, RecorderMissing

INTEGRITY = Integrity(
    sha256="ab" * 32,
    size=1234,
    duration_s=5.5,
    frames=165,
    frames_repeated=3,
    frames_left_out=0,
    video_gaps=1,
    audio_gaps=0,
    worst_offset_s=0.012,
    pauses=1,
    paused_s=2.5,
    absences=1,
    absent_s=36_000.5,
    damaged_records=2,
    damaged_bytes=197,
)


@dataclass
class RecorderInMemory:
    """`missing`: the media server is not ours; `silent`: pauses are not confirmed; `forgets`: it knows no egress.

    media: holds `egress` by id. A recording has `integrity` when it is complete."""

    media: Any
    missing: bool = False
    silent: bool = False
    forgets: bool = False
    paused: dict[str, bool] = field(default_factory=dict)
    compose: dict[str, Compose] = field(default_factory=dict)
    asked: int = 0

    async def start(
        self, room: str, *, layout: Layout, encoding: Encoding, key: str, compose: Compose, audio_only: bool = False
    ) -> Egress:
        self._ours("choose when to compose a recording")
        egress: Egress = await self.media.start_room_composite(
            room, layout=layout, encoding=encoding, key=key, audio_only=audio_only
        )
        self.compose[egress.egress_id] = compose
        return egress

    async def set_paused(self, egress_id: str, paused: bool) -> RecordingFacts:
        self._ours("pause recordings")
        egress = self.media.egress.get(egress_id)
        if egress is None:
            raise EgressNotFound(egress_id)
        if egress.status != "active":
            raise EgressNotActive(egress_id)
        if self.silent:
            raise EgressSilent(egress_id)
        self.paused[egress_id] = paused
        return self._facts(egress)

    async def facts(self, egress_id: str) -> RecordingFacts | None:
        self.asked += 1
        self._ours("tell more about recordings")
        egress = self.media.egress.get(egress_id)
        return None if egress is None or self.forgets else self._facts(egress)

    def _facts(self, egress: Egress) -> RecordingFacts:
        final = egress.status not in IN_PROGRESS
        return RecordingFacts(
            paused=self.paused.get(egress.egress_id, False) and not final,
            final=final,
            compose=self.compose.get(egress.egress_id, "live"),
            integrity=replace(INTEGRITY, size=egress.size or 0) if egress.status == "complete" else None,
        )

    def _ours(self, what: str) -> None:
        self.media._up()
        if self.missing:
            raise RecorderMissing(what)
