"""What the Egress API knows of recordings: one state per egress and the port behind which they are made.

`meet/recorder/control` implements the port; here nothing is known of recorders, spools or supervisors.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Literal, Protocol, TypeAlias, get_args

EgressStatus: TypeAlias = Literal["starting", "active", "ending", "complete", "failed", "aborted", "limit_reached"]
EgressEventName: TypeAlias = Literal["egress_started", "egress_updated", "egress_ended"]
Compose: TypeAlias = Literal["live", "after"]
"""When the composite is made: while the meeting runs, or when it is over."""
Only: TypeAlias = Literal["audio", "video"]
Container: TypeAlias = Literal["ogg"]
"""One that has to be asked for; MP4 and WebM follow from the codecs."""

STATUSES: Final[tuple[EgressStatus, ...]] = get_args(EgressStatus)
COMPOSE: Final[tuple[Compose, ...]] = get_args(Compose)
ONLY: Final[tuple[Only, ...]] = get_args(Only)
FINAL: Final[frozenset[str]] = frozenset({"complete", "failed", "aborted", "limit_reached"})
LAYOUTS: Final = ("grid", "speaker", "single-speaker")


@dataclass(frozen=True)
class ParticipantChoice:
    """Record only this participant: its camera and microphone, or its screen share with sound."""

    identity: str
    screen_share: bool = False


@dataclass(frozen=True)
class TrackChoice:
    """Record only these tracks, by sid ("" for none): one as it is into a file of its own, or both as one composite."""

    video: str = ""
    audio: str = ""
    direct: bool = False


@dataclass(frozen=True)
class EgressRequest:
    """A wish to record. encoding: preset name or options object; key: storage key of the finished file.

    Without participant and tracks it is the whole room. compose: None leaves it to this server's configuration. only:
    nothing else is received, and the file has nothing else. manifest: what is to stand in one beside the file, None for
    no such file.
    `original` is the serialized request of LiveKit's API, echoed in every EgressInfo.
    """

    room_name: str
    room_sid: str
    layout: str
    encoding: str | dict[str, Any]
    key: str
    original: bytes = field(default=b"", repr=False)
    participant: ParticipantChoice | None = None
    compose: Compose | None = None
    tracks: TrackChoice | None = None
    only: Only | None = None
    container: Container | None = None
    manifest: dict[str, str] | None = None

    def manifest_key(self, egress_id: str) -> str:
        """Where it is: beside the file, named after the egress, as LiveKit has it."""
        folder, slash, _ = self.key.rpartition("/")
        return f"{folder}{slash}{egress_id}.json"


@dataclass(frozen=True)
class EgressState:
    """Where an egress stands. Times are unix ms, size bytes, duration seconds. store: name of the one with the file.

    paused: what the recorder says, not what it was asked for. integrity: what was measured of the finished file.
    """

    egress_id: str
    request: EgressRequest
    status: EgressStatus = "starting"
    layout: str = "grid"
    started_at_ms: int | None = None
    updated_at_ms: int | None = None
    ended_at_ms: int | None = None
    error: str | None = None
    error_code: int | None = None
    details: str | None = None
    size: int | None = None
    duration_s: float | None = None
    paused: bool = False
    integrity: dict[str, Any] | None = None
    store: str | None = None

    @property
    def final(self) -> bool:
        """True once nothing will change any more."""
        return self.status in FINAL


@dataclass(frozen=True)
class EgressEvent:
    """A transition. `confirm` is called once a receiver has it, so that a restart does not tell it again."""

    name: EgressEventName
    state: EgressState
    event_id: str
    confirm: Callable[[], None] = field(compare=False, repr=False)


class EgressError(Exception):
    """Base; `str()` is fit for the caller."""


class EgressUnknown(EgressError):
    """There is no such egress."""


class EgressNotRunning(EgressError):
    """The egress is ending or over."""


class EgressSilent(EgressError):
    """The recorder did not confirm; it will be told again when it is back."""


class EgressUnavailable(EgressError):
    """The egress could not be started and nothing was left behind, or who knows of all egresses does not answer."""


class EgressRefused(EgressUnavailable):
    """This machine has no room for another recording now: disk, spool or processor."""


class EgressUnsupported(EgressError):
    """Nothing can be made with this encoding, now or later."""


class EgressControl(Protocol):
    """Starts, stops and lists recordings. Where it is another process's, every call may raise EgressUnavailable."""

    async def start(self, request: EgressRequest) -> EgressState:
        """Raises EgressUnavailable, or EgressRefused or EgressUnsupported when it was not even tried."""

    async def stop(self, egress_id: str) -> EgressState:
        """Raises EgressUnknown or EgressNotRunning."""

    async def update_layout(self, egress_id: str, layout: str) -> EgressState:
        """Raises EgressUnknown or EgressNotRunning."""

    async def set_paused(self, egress_id: str, paused: bool) -> EgressState:
        """Pause, or go on; returns when the recorder has. Raises EgressUnknown, EgressNotRunning, EgressSilent."""

    async def find(
        self, *, egress_id: str | None = None, room: str | None = None, active: bool = False
    ) -> list[EgressState]:
        """Newest last; `active` leaves out those that are over."""
