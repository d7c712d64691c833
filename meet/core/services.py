"""The wiring of the domain: ports and settings in, services out. Called by the composition root."""

from __future__ import annotations

from dataclasses import dataclass

from .analytics import Analytics
from .api_keys import ApiKeyService
from .assistant_ports import AgentDispatcher
from .assistants import AssistantService
from .auth import AuthService
from .clock import Clock
from .global_settings import GlobalSettings
from .jobs import Job, Scheduler
from .media_events import MediaEvents
from .meetings import MeetingService
from .member_claims import MemberClaims
from .member_grants import MemberGrants
from .members import MemberService
from .permission_names import Spelling
from .permissions import Rights
from .ports import BlobDeleter, MediaServer, Repositories
from .presence import Presence
from .recorder_ports import Recorder
from .recording_events import RecordingEvents
from .recording_extras import RecordingExtras
from .recording_jobs import RecordingJobs
from .recording_removal import RecordingRemoval
from .recording_start import RecordingStarter
from .recordings import RecordingService
from .room_lifecycle import RoomLifecycle
from .room_removal import RoomRemoval
from .rooms import RoomService
from .settings import CoreSettings
from .sharing import SharingService
from .signals import Signals
from .token_codec import TokenCodec
from .tokens import TokenService
from .users import UserService
from .webhook_delivery import DeliveryPolicy, WebhookDispatcher
from .webhook_events import BaseUrl, WebhookEvents
from .webhook_ports import WebhookTransport
from .webhooks import WebhookService

_RECONCILE_S = 10.0
_LATE_S = 1.0
_CLEAN_UP_S = 60.0
_EXPIRY_S = 600.0
_PRUNE_S = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Core:
    """The domain's services, its scheduler, and the parts that tests drive directly."""

    settings: CoreSettings
    rooms: RoomService
    recordings: RecordingService
    recording_extras: RecordingExtras
    sharing: SharingService
    tokens: TokenService
    auth: AuthService
    meetings: MeetingService
    assistants: AssistantService
    users: UserService
    members: MemberService
    api_keys: ApiKeyService
    global_settings: GlobalSettings
    analytics: Analytics
    webhooks: WebhookService
    dispatcher: WebhookDispatcher
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
        self.dispatcher.start()

    async def stop(self) -> None:
        """Stop the jobs and let starts and signals under way finish."""
        await self.scheduler.stop()
        await self.starter.drain()
        await self.signals.drain()
        await self.dispatcher.stop()


def build(
    settings: CoreSettings,
    repositories: Repositories,
    *,
    media: MediaServer,
    agents: AgentDispatcher,
    recorder: Recorder,
    blobs: BlobDeleter,
    clock: Clock,
    transport: WebhookTransport,
    base_url: BaseUrl,
    delivery: DeliveryPolicy | None = None,
) -> Core:
    """Wire the services together. `base_url` tells where this server is reached, for links in webhooks."""
    rooms, recordings = repositories.rooms, repositories.recordings
    names, members, accounts = repositories.names, repositories.members, repositories.accounts
    rights, signals, codec = Rights(members), Signals(media, clock), TokenCodec(settings, clock)
    announcements = WebhookEvents(settings.name_id, clock, base_url, Spelling(settings.mode))
    dispatcher = WebhookDispatcher(
        outbox=repositories.outbox,
        accounts=accounts,
        transport=transport,
        clock=clock,
        project_id=settings.name_id,
        policy=delivery,
    )
    events = RecordingEvents(
        rooms=rooms,
        recordings=recordings,
        media=media,
        blobs=blobs,
        signals=signals,
        webhooks=announcements,
        wake=dispatcher.wake,
        clock=clock,
        store=settings.store,
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
        recordings=recordings,
        media=media,
        events=events,
        recorder=recorder,
        signals=signals,
        clock=clock,
        settings=settings,
    )
    room_removal = RoomRemoval(
        rooms=rooms,
        recordings=recordings,
        recording_removal=removal,
        media=media,
        ending_grace_s=settings.room_ending_grace_s,
    )
    lifecycle = RoomLifecycle(
        rooms=rooms,
        names=names,
        participants=repositories.participants,
        caption_users=repositories.caption_users,
        token_ttl_s=settings.room_member_token_ttl_s,
        removal=room_removal,
        media=media,
        webhooks=announcements,
        wake=dispatcher.wake,
        clock=clock,
    )
    webhooks = WebhookService(
        accounts=accounts,
        outbox=repositories.outbox,
        transport=transport,
        dispatcher=dispatcher,
        clock=clock,
        project_id=settings.name_id,
    )
    assistants = AssistantService(
        rooms=rooms,
        users=repositories.caption_users,
        agents=agents,
        clock=clock,
        captions_enabled=settings.captions_enabled,
    )
    presence = Presence(participants=repositories.participants, media=media, signals=signals)
    claims = MemberClaims(rooms=rooms, members=members, accounts=accounts)
    jobs = RecordingJobs(
        recordings=recordings, media=media, events=events, removal=removal, clock=clock, settings=settings
    )
    recording_service = RecordingService(
        rooms=rooms,
        recordings=recordings,
        media=media,
        rights=rights,
        starter=starter,
        events=events,
        removal=removal,
        links=repositories.share_links,
        clock=clock,
    )
    extras = RecordingExtras(
        recordings=recording_service,
        facts=repositories.recording_facts,
        recorder=recorder,
        signals=signals,
        clock=clock,
    )
    return Core(
        settings=settings,
        rooms=RoomService(
            rooms=rooms,
            rights=rights,
            removal=room_removal,
            users=repositories.users,
            clock=clock,
            root=settings.initial_admin_user,
        ),
        recordings=recording_service,
        recording_extras=extras,
        sharing=SharingService(recordings=recording_service, links=repositories.share_links, clock=clock),
        tokens=TokenService(
            rooms=rooms,
            names=names,
            participants=repositories.participants,
            media=media,
            grants=MemberGrants(members),
            claims=claims,
            codec=codec,
            clock=clock,
            settings=settings,
        ),
        auth=AuthService(accounts=accounts, claims=claims, codec=codec, clock=clock, settings=settings),
        meetings=MeetingService(
            rooms=rooms,
            participants=repositories.participants,
            rights=rights,
            media=media,
            signals=signals,
            spelling=Spelling(settings.mode),
        ),
        assistants=assistants,
        users=UserService(
            users=repositories.users,
            presence=presence,
            clock=clock,
            root=settings.initial_admin_user,
        ),
        members=MemberService(rooms=rooms, members=members, presence=presence, clock=clock),
        api_keys=ApiKeyService(accounts=accounts, clock=clock),
        global_settings=GlobalSettings(accounts=accounts, project_id=settings.name_id),
        analytics=Analytics(repositories.analytics),
        webhooks=webhooks,
        dispatcher=dispatcher,
        media_events=MediaEvents(
            lifecycle=lifecycle,
            egress=events,
            recordings=recordings,
            names=names,
            assistants=assistants,
            signals=signals,
            name_id=settings.name_id,
        ),
        lifecycle=lifecycle,
        recording_jobs=jobs,
        scheduler=Scheduler(_schedule(lifecycle, jobs, extras, webhooks, clock.now_ms())),
        starter=starter,
        signals=signals,
    )


def _schedule(
    lifecycle: RoomLifecycle, recordings: RecordingJobs, extras: RecordingExtras, webhooks: WebhookService, born: int
) -> list[Job]:
    """Much more often than upstream (contract 6): a lost webhook should be noticed in seconds, and asking is cheap."""

    async def release_old_locks() -> None:
        await recordings.release_locks_before(born)  # starts that died with the process before this one

    return [
        Job("rooms_status", _RECONCILE_S, lifecycle.reconcile),
        Job("recordings_status", _RECONCILE_S, recordings.reconcile),
        Job("recording_locks", _RECONCILE_S, recordings.release_locks, at_start=release_old_locks),
        Job("recording_facts", _RECONCILE_S, extras.collect),
        Job("late_pauses", _LATE_S, extras.tell_late_pauses),
        Job("clean_up", _CLEAN_UP_S, recordings.clean_up),
        Job("expired_rooms", _EXPIRY_S, lifecycle.expire),
        Job("webhook_history", _PRUNE_S, webhooks.clean_up),
    ]
