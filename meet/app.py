"""The one place where the backend is put together: settings in, ASGI application out."""

from __future__ import annotations

import ssl
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn, Protocol
from urllib.parse import urlsplit

import structlog
import uvicorn
import uvloop

import meet.api
import storage
from meet import credentials
from meet.api import Services
from meet.api.public_url import PublicUrl
from meet.api.rate_limits import rate_limiter
from meet.config import Settings
from meet.core import services as domain_services
from meet.core.clock import SystemClock
from meet.core.permission_names import Spelling
from meet.core.settings import CoreSettings
from meet.db import Database
from meet.http import Document, HttpApp
from meet.livekit import LiveKitMediaServer, WebhookInbox, WebhookVerifier
from meet.metrics import BackendMetrics, MetricsListener
from meet.outbound import WebhookSender
from meet.process import freeze
from meet.stores.deletion import Deletion
from meet.stores.reading import RecordingFiles
from meet.stores.survey import Survey
from meet.tls import trust_own
from meet.web import Pages, WebConfig
from meet.web.bridge import AssetsMissing
from meet.web.frontend import Frontend, FrontendMissing

log = structlog.get_logger(__name__)

_GRACE_S = 5
_KEEP_ALIVE_S = 75
"""Longer than clients and proxies keep a connection (nginx: 60 s), so that they end it: a request that crosses our end
of it is lost."""
_GC_THRESHOLDS = (10_000, 20, 50)
"""Requests make objects by the hundred; nearly all of them go without the collector."""


class Fail(Protocol):
    """Ends the process with one line for the operator."""

    def __call__(self, message: str) -> NoReturn: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class BackendServices(Services):
    """What handlers reach: the API's services, and our pages or the web app that takes their place."""

    web: Pages | Frontend


def media_url(settings: Settings) -> Callable[[str], str]:
    """From a request's base URL to the media server's URL for that client.

    The embedded server is on the same host as the page, on its own port, unless MEET_LIVEKIT_PUBLIC_URL says where; an
    external one is where LIVEKIT_URL says.
    """
    told = settings.livekit_url or settings.livekit_public_url
    if told:
        return lambda _base_url: told

    def embedded(base_url: str) -> str:
        origin = urlsplit(base_url)
        host = f"[{origin.hostname}]" if ":" in (origin.hostname or "") else origin.hostname
        return f"{'wss' if origin.scheme == 'https' else 'ws'}://{host}:{settings.livekit_port}"

    return embedded


def core_settings(settings: Settings) -> CoreSettings:
    """The domain's part of the settings."""
    return CoreSettings(
        livekit_api_key=settings.livekit_api_key,
        livekit_api_secret=settings.livekit_api_secret,
        name_id=settings.name_id,
        mode=settings.mode,
        initial_admin_user=settings.initial_admin_user,
        initial_admin_password=settings.initial_admin_password,
        initial_api_key=settings.initial_api_key,
        guessable=credentials.refused(settings),
        initial_webhook_enabled=settings.initial_webhook_enabled,
        initial_webhook_url=settings.initial_webhook_url,
        captions_enabled=settings.captions_enabled,
        access_token_ttl_s=settings.access_token_expiration,
        refresh_token_ttl_s=settings.refresh_token_expiration,
        room_member_token_ttl_s=settings.room_member_token_expiration,
        password_change_token_ttl_s=settings.password_change_token_expiration,
        refresh_token_rotation=settings.refresh_token_rotation,
        meeting_empty_timeout_s=settings.meeting_empty_timeout_s,
        meeting_departure_timeout_s=settings.meeting_departure_timeout_s,
        storage_prefix=settings.s3_subbucket,
        store=storage.name(settings),
        recording_start_timeout_s=settings.recording_start_timeout_s,
    )


def build(settings: Settings) -> HttpApp:
    """The backend's ASGI application; its start-up and shutdown run with the server's lifespan.

    To be called inside the event loop that will serve it. Raises storage.StorageMisconfigured,
    AssetsMissing, FrontendMissing, and SQLAlchemyError when the database cannot be opened.
    """
    database = Database.open(settings.data_dir / "meet.db")
    stores = storage.Stores.of(settings)
    repositories = database.repositories()
    media = LiveKitMediaServer(
        settings.livekit_url_private, settings.livekit_api_key, settings.livekit_api_secret, tls=_own_tls(settings)
    )
    public = PublicUrl((settings.base_url or settings.backend_url) + settings.base_path)
    sender = WebhookSender(allow_private=settings.webhook_allow_private)
    domain = domain_services.build(
        core_settings(settings),
        repositories,
        media=media,
        agents=media,
        recorder=media.recorder,
        blobs=Deletion(stores, settings.data_dir / "spool"),
        clock=SystemClock(),
        transport=sender,
        base_url=lambda: public.current,
    )
    survey = Survey(stores, repositories.recording_places)
    verifier = WebhookVerifier(settings.livekit_api_key, settings.livekit_api_secret)
    url = media_url(settings)
    services = BackendServices(
        auth=domain.auth,
        rooms=domain.rooms,
        recordings=domain.recordings,
        recording_extras=domain.recording_extras,
        sharing=domain.sharing,
        tokens=domain.tokens,
        meetings=domain.meetings,
        assistants=domain.assistants,
        users=domain.users,
        members=domain.members,
        api_keys=domain.api_keys,
        global_settings=domain.global_settings,
        analytics=domain.analytics,
        webhooks=domain.webhooks,
        spelling=Spelling(settings.mode),
        inbox=WebhookInbox(verifier, domain.media_events),
        files=RecordingFiles(stores, repositories.recordings, repositories.recording_places),
        media_url=url,
        public=public,
        captions_enabled=settings.captions_enabled,
        store_name="S3" if settings.blob_storage_mode == "s3" else "Storage",
        web=_web(settings, url),
    )

    probe = storage.StoreProbe(stores.current)

    async def check_store() -> None:
        try:
            await probe.check()
        except storage.StorageError as error:
            # Not fatal: meetings work, and recordings wait in the spool until the store can be used.
            print(f"meet: the recording store cannot be used: {error}", file=sys.stderr)  # noqa: T201
            log.error("store_not_usable", error=str(error))

    async def check_media() -> None:
        await media.list_rooms()

    async def check_database() -> None:
        database.reader.exec_driver_sql("SELECT 1")

    async def close() -> None:
        await domain.stop()
        await media.close()
        await sender.close()
        await survey.stop()
        await stores.close()
        database.close()

    if not settings.limits_requests:
        log.warning("rate_limits_off")
    bases = [settings.base_path, ""] if settings.base_path else [""]
    pages = "frontend.yaml" if settings.frontend_dir else "openapi.yaml"
    return meet.api.build(
        services,
        base_path=settings.base_path,
        extra_documents=[Document(meet.api.openapi_root() / "web" / pages, tuple(bases), public=False)],
        public_url=settings.base_url or None,
        trust_proxy=_trust_proxy(settings.trust_proxy),
        cors_origin=settings.cors_origin,
        rate_limiter=rate_limiter(settings.rate_limits_shared) if settings.limits_requests else None,
        readiness={"storage": probe.check, "media": check_media, "database": check_database},
        on_startup=(check_store, domain.start, survey.start),
        on_shutdown=(close,),
    )


def _web(settings: Settings, media: Callable[[str], str]) -> Pages | Frontend:
    if settings.frontend_dir is not None:
        return Frontend(settings.frontend_dir, settings.base_path)
    return Pages(WebConfig(media_url=media))


def _own_tls(settings: Settings) -> ssl.SSLContext | None:
    return trust_own(settings.tls_cert) if settings.tls_cert is not None and settings.livekit_embedded else None


def _trust_proxy(text: str) -> bool | int | str:
    lowered = text.strip().lower()
    if lowered in ("true", "false"):
        return lowered == "true"
    return int(lowered) if lowered.isdigit() else text


class _Server(uvicorn.Server):
    """Says when it listens."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        if not self.should_exit:
            self._on_ready()


def run(settings: Settings, *, on_ready: Callable[[], None], fail: Fail) -> None:
    """Serve until SIGTERM or SIGINT."""
    uvloop.run(_serve(settings, on_ready, fail))


async def _serve(settings: Settings, on_ready: Callable[[], None], fail: Fail) -> None:
    try:
        app = build(settings)
    except (storage.StorageMisconfigured, AssetsMissing, FrontendMissing) as error:
        fail(str(error))
    metrics = BackendMetrics(app)
    listener = MetricsListener(metrics, settings.media_metrics_socket)
    if settings.metrics_port is not None:
        try:
            await listener.start(settings.metrics_host, settings.metrics_port)
        except OSError as error:
            fail(f"the metrics port cannot be bound: {error.strerror}; choose another with MEET_METRICS_PORT")
    config = uvicorn.Config(
        app if settings.metrics_port is None else metrics,
        host=settings.host,
        port=settings.port,
        http="httptools",
        ws="none",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=_GRACE_S,
        ssl_certfile=str(settings.tls_cert) if settings.tls_cert else None,
        ssl_keyfile=str(settings.tls_key) if settings.tls_key else None,
    )
    freeze(*_GC_THRESHOLDS)
    try:
        await _Server(config, on_ready).serve()
    finally:
        await listener.stop()
