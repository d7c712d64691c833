"""RecordingExtras: our own operations on recordings - pausing, composing later, another layout, and facts of a file."""

from __future__ import annotations

import contextlib

import structlog

from .callers import Caller
from .clock import Clock
from .errors import (
    EgressNotActive,
    EgressNotFound,
    MediaServerError,
    MediaServerUnavailable,
    RecordingAlreadyStopped,
    RecordingNotFound,
)
from .model.encoding import Encoding, Layout
from .model.recording import IN_PROGRESS, Recording
from .model.recording_facts import Compose, KnownRecording, RecordingFacts
from .recorder_ports import Recorder, RecordingFactsRepository
from .recording_errors import EgressSilent, RecorderMissing, RecorderSilent, RecordingNotActive
from .recordings import RecordingService
from .signals import Signals

log = structlog.get_logger(__name__)

_KEPT_MS = 7 * 24 * 3_600_000
"""For so long the media server knows recordings that are over."""

_BATCH = 200
"""As many facts as one run of the job asks for: after an upgrade a week of recordings has none."""

_FAILURES = 5
"""After so many in one run it is the media server that fails, not single recordings."""


class RecordingExtras:
    """While a recording runs, the media server alone knows its facts; when it is over, they move to the database."""

    def __init__(
        self,
        *,
        recordings: RecordingService,
        facts: RecordingFactsRepository,
        recorder: Recorder,
        signals: Signals,
        clock: Clock,
    ) -> None:
        self._recordings = recordings
        self._facts = facts
        self._recorder = recorder
        self._signals = signals
        self._clock = clock
        self._awaited: dict[str, tuple[Recording, bool]] = {}

    async def start(
        self,
        caller: Caller,
        room_id: str,
        *,
        layout: Layout | None = None,
        encoding: Encoding | None = None,
        compose: Compose | None = None,
        audio_only: bool = False,
    ) -> KnownRecording:
        """As `RecordingService.start`, and says when to compose, and whether there is to be a picture.

        Raises as that does, and RecorderMissing."""
        recording = await self._recordings.start(
            caller, room_id, layout=layout, encoding=encoding, compose=compose, audio_only=audio_only
        )
        if compose is None:
            with contextlib.suppress(MediaServerError):  # it runs; what else is known can be asked for later
                return KnownRecording.of(recording, await self._of(recording))
        return KnownRecording(recording, RecordingFacts(compose=compose))

    async def set_layout(self, caller: Caller, recording_id: str, layout: Layout) -> KnownRecording:
        """Arrange the picture differently from now on. Raises as `RecordingService.set_layout`."""
        recording = await self._recordings.set_layout(caller, recording_id, layout)
        with contextlib.suppress(MediaServerError):  # it is done; what else is known can be asked for later
            return KnownRecording.of(recording, await self._of(recording))
        return KnownRecording.of(recording, None)

    async def pause(self, caller: Caller, recording_id: str) -> KnownRecording:
        """Record nothing until it is resumed; one that is paused already stays so.

        Raises RecordingNotFound, InsufficientPermissions, RecordingNotActive, RecordingAlreadyStopped, RecorderMissing,
        RecorderSilent, MediaServerError."""
        return await self._set_paused(caller, recording_id, True)

    async def resume(self, caller: Caller, recording_id: str) -> KnownRecording:
        """Go on in the same file; one that is not paused goes on as it is. Raises as `pause`."""
        return await self._set_paused(caller, recording_id, False)

    async def get(self, caller: Caller, recording_id: str) -> KnownRecording:
        """Raises RecordingNotFound, InsufficientPermissions; MediaServerError for one that is not over."""
        recording = await self._recordings.get(caller, recording_id)
        return KnownRecording.of(recording, await self._of(recording))

    async def collect(self) -> None:
        """Fetch the facts of recordings that ended, as long as the media server has them. For a job."""
        failures = 0
        for recording_id, egress_id in await self._facts.missing(self._clock.now_ms() - _KEPT_MS, _BATCH):
            try:
                await self._collect(recording_id, egress_id)
            except MediaServerError as error:
                log.info("recording_facts_delayed", recording=recording_id, reason=error.detail or error.message)
                failures += 1
                if isinstance(error, MediaServerUnavailable) or failures == _FAILURES:
                    return

    async def tell_late_pauses(self) -> None:
        """Tell the room of pauses that took their recorder longer than whoever asked could wait. For a job."""
        for recording_id, awaited in list(self._awaited.items()):
            recording, paused = awaited
            try:
                facts = await self._recorder.facts(recording.egress_id)
            except MediaServerError:
                continue
            if self._awaited.get(recording_id) is not awaited:
                continue  # somebody asked again meanwhile
            if facts is None or facts.final:
                del self._awaited[recording_id]
            elif facts.paused is paused:
                del self._awaited[recording_id]
                self._tell_paused(recording, paused)

    async def _set_paused(self, caller: Caller, recording_id: str, paused: bool) -> KnownRecording:
        recording = await self._recordings.accessible(caller, recording_id, "canRecord")
        if recording.status not in ("starting", "active"):
            raise RecordingAlreadyStopped(recording_id)
        try:
            facts = await self._recorder.set_paused(recording.egress_id, paused)
        except EgressNotFound:
            raise RecordingNotFound(recording_id) from None
        except EgressNotActive:
            if recording.status == "starting":
                raise RecordingNotActive(recording_id) from None
            raise RecordingAlreadyStopped(recording_id) from None
        except EgressSilent:
            self._awaited[recording_id] = recording, paused
            raise RecorderSilent(recording_id, paused) from None
        self._awaited.pop(recording_id, None)
        self._tell_paused(recording, facts.paused)
        return KnownRecording.of(recording, facts)

    def _tell_paused(self, recording: Recording, paused: bool) -> None:
        log.info("recording_paused" if paused else "recording_resumed", recording=recording.recording_id)
        self._signals.recording_paused(recording, paused)

    async def _of(self, recording: Recording) -> RecordingFacts | None:
        if recording.status in IN_PROGRESS:
            try:
                return await self._recorder.facts(recording.egress_id)
            except RecorderMissing:
                return None
        kept = await self._facts.get(recording.recording_id)
        if kept is not None or not recording.has_media:
            return kept
        try:
            return await self._collect(recording.recording_id, recording.egress_id)
        except MediaServerError as error:
            log.info("recording_facts_delayed", recording=recording.recording_id, reason=error.detail or error.message)
            return None

    async def _collect(self, recording_id: str, egress_id: str) -> RecordingFacts:
        """Fetch and keep; that there is nothing to be had is kept, too. Raises MediaServerError."""
        try:
            facts = await self._recorder.facts(egress_id) or RecordingFacts(final=True)
        except RecorderMissing:
            facts = RecordingFacts(final=True)
        if facts.final:  # else its last word is still on its way there
            await self._facts.keep(recording_id, facts)
        return facts
