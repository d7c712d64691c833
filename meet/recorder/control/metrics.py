"""Prometheus metrics of recordings. Nothing is told per recording: its id would make a series each."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from meet.media.twirp.egress_model import FINAL, STATUSES, EgressEvent
from meet.recorder.control import usage
from meet.recorder.control.admission import REASONS, Admission
from meet.recorder.control.controller import EgressController
from meet.recorder.control.supervisor import RESTARTS, SupervisorRefused, recorder_restarts
from meet.recorder.control.usage import Reading, Usage

_FREE_AGE_S: Final = 2.0
_USAGE_AGE_S: Final = 60.0
"""The spool may hold the journals of a week: scrapes every second do not make it be walked through every second."""


class RecordingMetrics:
    """What the owner of the recordings knows of them. Make it before the control is opened.

    supervisor: its socket, which tells how often recorders were restarted."""

    def __init__(self, control: EgressController, admission: Admission, supervisor: Path) -> None:
        self._control = control
        self._supervisor = supervisor
        self._finished: Counter[str] = Counter()
        self._free = Reading(partial(usage.free, admission.folders), age_s=_FREE_AGE_S)
        self._usage = Reading(partial(usage.of, admission.folders["spool"]), age_s=_USAGE_AGE_S)
        control.add_listener(self._count)

    def _count(self, event: EgressEvent) -> None:
        if event.name == "egress_ended":
            self._finished[event.state.status] += 1

    async def text(self) -> bytes:
        """The text format. What cannot be found out within a second is left out."""
        free, used, restarts = await asyncio.gather(self._free.value(), self._usage.value(), self._restarts())
        running: Counter[str] = Counter(state.status for state in self._control.list(active=True))
        snapshot = _Snapshot(
            running,
            self._finished,
            self._control.refused,
            self._control.longest_ending_s(),
            free or {},
            used,
            restarts,
        )
        registry = CollectorRegistry(auto_describe=False)
        registry.register(snapshot)
        return generate_latest(registry)

    async def _restarts(self) -> Mapping[str, int] | None:
        try:
            return await recorder_restarts(self._supervisor)
        except SupervisorRefused:
            return None  # started by hand, without one


@dataclass(frozen=True, eq=False)
class _Snapshot(Collector):
    running: Mapping[str, int]
    finished: Mapping[str, int]
    refused: Mapping[str, int]
    longest_ending_s: float
    free: Mapping[str, int]
    used: Usage | None
    restarts: Mapping[str, int] | None

    def collect(self) -> Iterable[Metric]:
        live, over = [s for s in STATUSES if s not in FINAL], [s for s in STATUSES if s in FINAL]
        yield _gauges("meet_recordings_in_progress", "Recordings that are not over", "status", live, self.running)
        yield _counts("meet_recordings_finished", "Recordings that came to their end", "outcome", over, self.finished)
        yield _counts("meet_recording_starts_refused", "Recordings not begun", "reason", REASONS, self.refused)
        yield GaugeMetricFamily(
            "meet_recording_oldest_ending_seconds",
            "How long ago the recording ended that waits longest to be stored; 0 when none does",
            value=self.longest_ending_s,
        )
        yield _gauges("meet_recording_free_bytes", "Free on its file system", "folder", tuple(self.free), self.free)
        if self.used is not None:
            sizes = {"unfinished": self.used.unfinished, "finished": self.used.finished}
            yield _gauges("meet_recording_spool_bytes", "Size of recordings in the spool", "of", sizes, sizes)
            kept = self.used.journals
            yield _gauges("meet_recording_journals_kept", "Journals of recordings that are over", "outcome", over, kept)
        if self.restarts is not None:
            text = "Recorder processes replaced"
            yield _counts("meet_recorder_restarts", text, "reason", RESTARTS, self.restarts)


def _gauges(name: str, text: str, label: str, values: Iterable[str], numbers: Mapping[str, int]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, text, labels=[label])
    for value in values:
        family.add_metric([value], numbers.get(value, 0))
    return family


def _counts(name: str, text: str, label: str, values: Iterable[str], numbers: Mapping[str, int]) -> CounterMetricFamily:
    family = CounterMetricFamily(name, text, labels=[label])
    for value in values:
        family.add_metric([value], numbers.get(value, 0))
    return family
