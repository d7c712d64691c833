"""The wiring of the domain: ports and settings in, services out. Called by the composition root."""

from __future__ import annotations

from dataclasses import dataclass

from .auth import AuthService
from .clock import Clock
from .jobs import Job, Scheduler
from .media_events import MediaEvents
from .member_grants import MemberGrants
from .permissions import Rights
from .ports import BlobDeleter, MediaServer, Repositories
from .recording_events import RecordingEvents
from .recording_jobs import RecordingJobs
from .recording_removal import RecordingRemoval
from .recording_start import RecordingStarter
from .recordings import RecordingService
from .room_lifecycle import RoomLifecycle
from .room_removal import RoomRemoval
from .rooms import RoomService
from .settings import CoreSettings
from .signals import Signals
from .token_codec import TokenCodec
from .tokens import TokenService

_RECONCILE_S = 10.0
_CLEAN_UP_S = 60.0
_EXPIRY_S = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Core:
    """The domain's services, its scheduler, and the parts that tests drive directly."""

    settings: CoreSettings
    rooms: RoomService
    recordings: RecordingService
    tokens: TokenService
    auth: AuthService
    media_events: MediaEvents
    lifecycle: RoomLifecycle
    recording_jobs: RecordingJobs
    scheduler: Scheduler
    starter: RecordingStarter
    signals: Signals

    async def start(self) -> None:
        """Create what a first start needs, then run the jobs."""
        await self.auth.bootstrap()
        self.scheduler.start()

    async def stop(self) -> None:
        """Stop the jobs and let starts and signals under way finish."""
        await self.scheduler.stop()
        await self.starter.drain()
        await self.signals.drain()


def build(
    settings: CoreSettings,
    repositories: Repositories,
    *,
    media: MediaServer,
    blobs: BlobDeleter,
    clock: Clock,
) -> Core:
    """Wire the services together."""
    rooms, recordings = repositories.rooms, repositories.recordings
    names, members, accounts = repositories.names, repositories.members, repositories.accounts
    rights, signals, codec = Rights(members), Signals(media, clock), TokenCodec(settings, clock)
    events = RecordingEvents(
        rooms=rooms,
        recordings=recordings,
        media=media,
        blobs=blobs,
        signals=signals,
        clock=clock,
        prefix=settings.storage_prefix,
    )
    removal = RecordingRemoval(
        recordings=recordings,
        media=media,
        blobs=blobs,
        events=events,
        clock=clock,
        stop_grace_s=settings.recording_stop_grace_s,
    )
    starter = RecordingStarter(
        recordings=recordings, media=media, events=events, signals=signals, clock=clock, settings=settings
    )
    room_removal = RoomRemoval(rooms=rooms, recordings=recordings, recording_removal=removal, media=media)
    lifecycle = RoomLifecycle(rooms=rooms, names=names, removal=room_removal, media=media, clock=clock)
    jobs = RecordingJobs(
        recordings=recordings, media=media, events=events, removal=removal, clock=clock, settings=settings
    )
    return Core(
        settings=settings,
        rooms=RoomService(rooms=rooms, recordings=recordings, rights=rights, removal=room_removal, clock=clock),
        recordings=RecordingService(
            rooms=rooms,
            recordings=recordings,
            media=media,
            rights=rights,
            starter=starter,
            events=events,
            removal=removal,
            clock=clock,
        ),
        tokens=TokenService(
            rooms=rooms,
            names=names,
            media=media,
            grants=MemberGrants(members),
            codec=codec,
            clock=clock,
            settings=settings,
        ),
        auth=AuthService(accounts=accounts, rooms=rooms, members=members, codec=codec, clock=clock, settings=settings),
        media_events=MediaEvents(
            lifecycle=lifecycle,
            egress=events,
            recordings=recordings,
            names=names,
            signals=signals,
            name_id=settings.name_id,
        ),
        lifecycle=lifecycle,
        recording_jobs=jobs,
        scheduler=Scheduler(_schedule(lifecycle, jobs, clock.now_ms())),
        starter=starter,
        signals=signals,
    )


def _schedule(lifecycle: RoomLifecycle, recordings: RecordingJobs, born: int) -> list[Job]:
    """Much more often than upstream (contract 6): a lost webhook should be noticed in seconds, and asking is cheap."""

    async def release_old_locks() -> None:
        await recordings.release_locks_before(born)  # starts that died with the process before this one

    return [
        Job("rooms_status", _RECONCILE_S, lifecycle.reconcile),
        Job("recordings_status", _RECONCILE_S, recordings.reconcile),
        Job("recording_locks", _RECONCILE_S, recordings.release_locks, at_start=release_old_locks),
        Job("clean_up", _CLEAN_UP_S, recordings.clean_up),
        Job("expired_rooms", _EXPIRY_S, lifecycle.expire),
    ]
