"""Errors about what only our own recorder can do (a branch of the tree in `errors`)."""

from __future__ import annotations

from .errors import MediaServerError, RecordingConflict, Unavailable


class RecordingNotActive(RecordingConflict):
    """It has not begun; one that is over is `RecordingAlreadyStopped`."""

    text = "is not active yet"


class RecordingNotFragmented(RecordingConflict):
    """Its file is a WebM, or from before there were fragments in it."""

    text = "has no index of its fragments"


class RecordingStartTimeout(Unavailable):
    title = "Recording Error"

    def __init__(self, room_id: str) -> None:
        super().__init__(f"Recording in room '{room_id}' timed out while starting")
        self.room_id = room_id


class RecordingRefused(Unavailable):
    """The machine has no room for another recording now: disk, spool or processor. `detail` is for the log only."""

    title = "Recording Error"

    def __init__(self, room_id: str, detail: str) -> None:
        super().__init__(f"Recording in room '{room_id}' cannot start now: the server has reached its recording limits")
        self.room_id = room_id
        self.detail = detail


class RecordingKept(Unavailable):
    """The storage did not let go of its file."""

    title = "Recording Error"

    def __init__(self, recording_id: str) -> None:
        super().__init__(f"The storage keeps the file of recording '{recording_id}'")
        self.recording_id = recording_id


class RecordingElsewhere(Unavailable):
    """Its file is in a store that was configured once, or in none that is known."""

    title = "Recording Error"

    def __init__(self, recording_id: str) -> None:
        super().__init__(
            f"The file of recording '{recording_id}' is in a former store that this server cannot reach: its operator"
            " has to configure that store, or to move the recording"
        )
        self.recording_id = recording_id


class RecorderMissing(Unavailable):
    """The media server is not ours. `what` completes "The media server in use cannot"."""

    title = "Recording Error"

    def __init__(self, what: str) -> None:
        super().__init__(f"The media server in use cannot {what}")


class RecorderSilent(Unavailable):
    """The wish is remembered."""

    title = "Recording Error"

    def __init__(self, recording_id: str, paused: bool) -> None:
        what = "paused" if paused else "resumed"
        super().__init__(f"Recording '{recording_id}' is {what} as soon as its recorder answers")
        self.recording_id = recording_id


class EgressSilent(MediaServerError):
    """The media server could not reach the recorder."""

    def __init__(self, egress_id: str) -> None:
        super().__init__(f"pausing egress '{egress_id}'", "the recorder does not answer")
        self.egress_id = egress_id
