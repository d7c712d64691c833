"""Typed settings, frozen once read. Environment names are OpenVidu Meet's where it has one.

Every setting is one field: its `validation_alias` is the environment variable, its `description` is what
`meet serve --help` and docs/configuration.md print (a test compares the three).
"""

from __future__ import annotations

import os
import sys
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import SplitResult, urlsplit

from pydantic import BeforeValidator, Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from meet.durations import parse_seconds


def _csv(value: Any) -> Any:
    return tuple(item.strip() for item in value.split(",") if item.strip()) if isinstance(value, str) else value


def _networks(value: Any) -> Any:
    """`192.0.2.7` is a network of one address; bits behind the prefix do not matter."""
    return tuple(ip_network(item, strict=False) for item in _csv(value)) if isinstance(value, str) else value


Seconds = Annotated[float, BeforeValidator(parse_seconds), Field(gt=0)]
SecondsOrNone = Annotated[float, BeforeValidator(parse_seconds), Field(ge=0)]
CommaList = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_csv)]
Networks = Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode, BeforeValidator(_networks)]


def _env(default: Any, name: str, description: str, **extra: Any) -> Any:
    return Field(default, validation_alias=name, description=description, **extra)


MAX_MEDIA_WORKERS = 8
"""As many as are started unasked: each takes 50 MB, and a machine with more cores has other work for them, too."""


def _has_port(parts: SplitResult) -> bool:
    """Whether what stands in the port's place, if anything, is one."""
    try:
        return parts.port is None or parts.port > 0
    except ValueError:
        return False


class Settings(BaseSettings):
    """All configuration of one `meet` process. Instances are immutable and built by `Settings.load()`."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", populate_by_name=True, env_ignore_empty=True)

    # Server
    host: str = _env("127.0.0.1", "MEET_HOST", "address to listen on")
    port: int = _env(6080, "SERVER_PORT", "HTTP port of the API and the pages; 0 picks a free one", ge=0, le=65535)
    data_dir: Path = _env(Path("data"), "MEET_DATA_DIR", "directory for the database, recordings, spool and keys")
    base_path: str = _env("/meet", "MEET_BASE_PATH", "path below which everything is served as well as at /")
    base_url: str = _env("", "MEET_BASE_URL", "public origin of this server; empty: taken from each request")
    cors_origin: str = _env("*", "SERVER_CORS_ORIGIN", "Access-Control-Allow-Origin")
    trust_proxy: str = _env("true", "SERVER_TRUST_PROXY", "trust X-Forwarded-*: true, false, hop count or subnet")
    tls_cert: Path | None = _env(None, "MEET_TLS_CERT", "certificate chain (PEM): serve HTTPS and WSS")
    tls_key: Path | None = _env(None, "MEET_TLS_KEY", "private key (PEM) of the certificate")
    log_level: Literal["debug", "info", "warning", "error"] = _env(
        "info", "MEET_LOG_LEVEL", "debug, info, warning or error"
    )
    log_format: Literal["text", "json"] = _env("text", "MEET_LOG_FORMAT", "text, or json for one object per line")
    mode: Literal["3.8.0", "compatibility", "3.9.0"] = _env(
        "3.8.0", "MEET_MODE", "names of permissions: 3.8.0 (can*), 3.9.0 (moduleAction), or compatibility (both)"
    )
    metrics_port: int | None = _env(
        None,
        "MEET_METRICS_PORT",
        "port of the Prometheus metrics, `GET /metrics`; 0 picks a free one; empty: none",
        ge=0,
        le=65535,
    )
    metrics_host: str = _env("127.0.0.1", "MEET_METRICS_HOST", "address the metrics port listens on")
    name_id: str = _env("openviduMeet", "MEET_NAME_ID", "project id stamped on media rooms created here")

    frontend_dir: Path | None = _env(
        None, "MEET_FRONTEND_DIR", "a built OpenVidu Meet web app, served instead of the own pages"
    )

    # Credentials
    initial_admin_user: str = _env("admin", "MEET_INITIAL_ADMIN_USER", "root administrator's user id")
    initial_admin_password: str = _env(
        "", "MEET_INITIAL_ADMIN_PASSWORD", "its first password; empty: generated, kept in the data directory"
    )
    initial_api_key: str = _env(
        "", "MEET_INITIAL_API_KEY", "first API key; empty: generated, kept in the data directory"
    )
    access_token_expiration: Seconds = _env(7200.0, "MEET_ACCESS_TOKEN_EXPIRATION", "life of a user's access token")
    refresh_token_expiration: Seconds = _env(86400.0, "MEET_REFRESH_TOKEN_EXPIRATION", "life of a refresh token")
    room_member_token_expiration: Seconds = _env(
        7200.0, "MEET_ROOM_MEMBER_TOKEN_EXPIRATION", "life of a room member token"
    )
    password_change_token_expiration: Seconds = _env(
        900.0, "MEET_PASSWORD_CHANGE_TOKEN_EXPIRATION", "life of the token that only allows a password change"
    )
    refresh_token_rotation: bool = _env(
        True, "MEET_REFRESH_TOKEN_ROTATION_ENABLED", "hand out a new refresh token at every refresh"
    )

    # Webhooks
    initial_webhook_enabled: bool = _env(
        False, "MEET_INITIAL_WEBHOOK_ENABLED", "send webhooks from the first start on; later the settings page decides"
    )
    initial_webhook_url: str = _env("", "MEET_INITIAL_WEBHOOK_URL", "where they are sent, http:// or https://")
    webhook_allow_private: bool = _env(
        False, "MEET_WEBHOOK_ALLOW_PRIVATE", "let webhooks go to private and loopback addresses"
    )

    # Rate limits
    rate_limits: bool = _env(True, "MEET_RATE_LIMITS", "limit requests per client address; see docs/configuration.md")
    rate_limits_shared: Networks = _env(
        (),
        "MEET_RATE_LIMITS_SHARED",
        "comma list of addresses and networks that many people share, an office's say; see below",
    )
    node_env: str = _env("", "NODE_ENV", "development, test or ci switch rate limits off, as in OpenVidu Meet")

    # Media server
    livekit_url: str = _env("", "LIVEKIT_URL", "media server for clients (ws:// or wss://); empty: the embedded one")
    livekit_private: str = _env(
        "", "LIVEKIT_URL_PRIVATE", "the same server as seen from this process; empty: LIVEKIT_URL"
    )
    livekit_api_key: str = _env(
        "", "LIVEKIT_API_KEY", "key that signs every token; empty: generated, kept in the data directory"
    )
    livekit_api_secret: str = _env(
        "",
        "LIVEKIT_API_SECRET",
        "secret that signs every token; empty: generated, kept in the data directory",
    )
    livekit_port: int = _env(
        7880,
        "MEET_LIVEKIT_PORT",
        "signalling port of the embedded media server; 0 picks a free one",
        ge=0,
        le=65535,
    )
    livekit_public_url: str = _env(
        "",
        "MEET_LIVEKIT_PUBLIC_URL",
        "where clients find the embedded media server: wss://meet.example.com; empty: its port on the host they used",
    )
    rtc_port: int = _env(7882, "MEET_RTC_PORT", "UDP and TCP port of all media; 0 picks a free one", ge=0, le=65535)
    rtc_host: str = _env(
        "0.0.0.0", "MEET_RTC_HOST", "address of the media port; 0.0.0.0: all of IPv4, ::: IPv6 as well"
    )
    rtc_advertised: CommaList = _env(
        (), "MEET_RTC_ADVERTISED", "comma list of addresses told to clients; empty: every local one"
    )
    rtc_tcp: bool = _env(True, "MEET_RTC_TCP", "take media over TCP on the same port number, for networks without UDP")
    media_native: Literal["auto", "off"] = _env(
        "auto",
        "MEET_MEDIA_NATIVE",
        "auto: forward media, draw recordings by compiled code where it was built; off: by Python",
    )
    media_processes: int = _env(
        0,
        "MEET_MEDIA_PROCESSES",
        "processes that rooms are spread over, each with a media port of its own; 0: one per core, at most 8",
        ge=0,
        le=64,
    )
    video_codecs: CommaList = _env(
        ("VP8", "H264"), "MEET_VIDEO_CODECS", "what clients may publish: VP8, H264, VP9, AV1; the first is the default"
    )
    turn_urls: CommaList = _env(
        (), "MEET_TURN_URLS", "comma list of TURN servers for clients, such as turn:host:3478?transport=udp"
    )
    turn_secret: str = _env("", "MEET_TURN_SECRET", "secret shared with them (coturn: static-auth-secret)")
    turn_ttl_s: Seconds = _env(86400.0, "MEET_TURN_TTL", "life of the TURN credentials a client gets")
    meeting_empty_timeout_s: Seconds = _env(
        20.0, "MEETING_EMPTY_TIMEOUT", "a media room nobody joins is closed after this"
    )
    meeting_departure_timeout_s: Seconds = _env(
        20.0, "MEETING_DEPARTURE_TIMEOUT", "a media room everybody left is closed after this"
    )

    # Recording
    recording_start_timeout_s: Seconds = _env(
        20.0,
        "MEET_RECORDING_START_TIMEOUT",
        "a recording that is not active by then is a 503 and leaves nothing",
    )
    recording_max_duration_s: SecondsOrNone = _env(
        0.0, "MEET_RECORDING_MAX_DURATION", "a recording this long ends as limit_reached; 0: any length"
    )
    recording_max_size_bytes: int = _env(
        0, "MEET_RECORDING_MAX_SIZE", "a file of this many bytes ends as limit_reached; 0: any size", ge=0
    )
    recording_min_free_bytes: int = _env(
        536870912,
        "MEET_RECORDING_MIN_FREE_BYTES",
        "disk space that recordings leave free: starts are a 503, running ones end as limit_reached; 0: none",
        ge=0,
    )
    recording_max_spool_bytes: int = _env(
        0, "MEET_RECORDING_MAX_SPOOL_BYTES", "starts are a 503 while the spool holds this much; 0: any amount", ge=0
    )
    recording_compose: Literal["live", "after"] = _env(
        "live", "MEET_RECORDING_COMPOSE", "live, or after: during the meeting only the journal is written"
    )
    recording_keep_tracks: bool = _env(
        False,
        "MEET_RECORDING_KEEP_TRACKS",
        "keep journals for seven days, or until space is short, for `meet tracks` and `meet recompose`",
    )
    recording_on_shutdown: Literal["finish", "continue"] = _env(
        "finish",
        "MEET_RECORDING_ON_SHUTDOWN",
        "what SIGTERM does to running recordings: finish them, or continue with them at the next start",
    )
    recording_max_cpu: int = _env(
        95,
        "MEET_RECORDING_MAX_CPU",
        "beside others, a recording is a 503 that would make more than so many % of the processors busy; 0: never",
        ge=0,
        le=100,
    )
    captions_enabled: bool = _env(
        False,
        "MEET_CAPTIONS_ENABLED",
        "live captions by the LiveKit agent speech-processing; needs a LIVEKIT_URL where one runs",
    )

    # Storage
    blob_storage_mode: Literal["fs", "s3"] = _env(
        "fs", "MEET_BLOB_STORAGE_MODE", "fs (files in the data directory) or s3"
    )
    s3_bucket: str = _env("openvidu-appdata", "MEET_S3_BUCKET", "bucket, must exist")
    s3_subbucket: str = _env("openvidu-meet", "MEET_S3_SUBBUCKET", "first part of every object key")
    s3_service_endpoint: str = _env("http://localhost:9000", "MEET_S3_SERVICE_ENDPOINT", "S3 endpoint")
    s3_access_key: str = _env("minioadmin", "MEET_S3_ACCESS_KEY", "access key id")
    s3_secret_key: str = _env("minioadmin", "MEET_S3_SECRET_KEY", "secret access key")
    s3_region: str = _env("us-east-1", "MEET_AWS_REGION", "region")
    s3_with_path_style_access: bool = _env(
        True, "MEET_S3_WITH_PATH_STYLE_ACCESS", "bucket in the path instead of the host name"
    )
    s3_sse_type: Literal["", "SSE-S3", "SSE-KMS"] = _env("", "MEET_S3_SSE_TYPE", "server-side encryption")
    s3_sse_kms_key_id: str = _env("", "MEET_S3_SSE_KMS_KEY_ID", "key id for SSE-KMS")
    s3_sse_kms_encryption_context: str = _env("", "MEET_S3_SSE_KMS_ENCRYPTION_CONTEXT", "JSON object for SSE-KMS")
    s3_former_stores: str = _env(
        "", "MEET_S3_FORMER_STORES", "JSON list of buckets where older recordings still are; see below"
    )

    @classmethod
    def load(cls, **overrides: Any) -> Self:
        """Settings from the environment with `overrides` (field names) on top. Raises pydantic.ValidationError."""
        return cls(**{name: value for name, value in overrides.items() if value is not None})

    @field_validator("base_path")
    @classmethod
    def _normalise_base_path(cls, value: str) -> str:
        return "/" + value.strip("/") if value.strip("/") else ""

    @field_validator("base_url")
    @classmethod
    def _normalise_base_url(cls, value: str) -> str:
        value = value.removesuffix("/")
        default_port = {"https": ":443", "http": ":80"}.get(value.partition("://")[0], "")
        return value.removesuffix(default_port) if default_port else value

    @field_validator("livekit_public_url")
    @classmethod
    def _check_public_url(cls, value: str) -> str:
        parts = urlsplit(value)
        more = parts.query or parts.fragment or parts.username or parts.password or not _has_port(parts)
        if value and (parts.scheme not in ("ws", "wss") or not parts.hostname or more):
            raise ValueError("must be ws:// or wss:// and a host, with a port and a path at most")
        return value.rstrip("/")

    @field_validator("data_dir", "frontend_dir")
    @classmethod
    def _absolute(cls, value: Path | None) -> Path | None:
        return value.expanduser().absolute() if value is not None else None

    @model_validator(mode="after")
    def _check_pairs(self) -> Self:
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("MEET_TLS_CERT and MEET_TLS_KEY go together")
        if self.s3_sse_type == "SSE-KMS" and not self.s3_sse_kms_key_id:
            raise ValueError("MEET_S3_SSE_TYPE=SSE-KMS needs MEET_S3_SSE_KMS_KEY_ID")
        if bool(self.turn_urls) != bool(self.turn_secret):
            raise ValueError("MEET_TURN_URLS and MEET_TURN_SECRET go together")
        if not self.video_codecs or any(c.upper() not in ("VP8", "H264", "VP9", "AV1") for c in self.video_codecs):
            raise ValueError("MEET_VIDEO_CODECS must name at least one of VP8, H264, VP9 and AV1")
        if not all(url.startswith(("turn:", "turns:")) for url in self.turn_urls):
            raise ValueError("MEET_TURN_URLS must start with turn: or turns:")
        if self.livekit_url and not self.livekit_url.startswith(("ws://", "wss://", "http://", "https://")):
            raise ValueError("LIVEKIT_URL must start with ws:// or wss://")
        if self.livekit_url and self.livekit_public_url:
            raise ValueError("MEET_LIVEKIT_PUBLIC_URL is for the embedded media server; LIVEKIT_URL names another one")
        if self.initial_webhook_url and not self.initial_webhook_url.startswith(("http://", "https://")):
            raise ValueError("MEET_INITIAL_WEBHOOK_URL must start with http:// or https://")
        return self

    @property
    def limits_requests(self) -> bool:
        """True when clients are held to the rate limits."""
        return self.rate_limits and self.node_env not in ("development", "test", "ci")

    @property
    def livekit_embedded(self) -> bool:
        """True when this server runs its own media server."""
        return not self.livekit_url

    @property
    def tls(self) -> bool:
        """True when HTTPS and WSS are served here."""
        return self.tls_cert is not None

    @property
    def livekit_url_private(self) -> str:
        """The media server as our own processes reach it (ws:// or wss://)."""
        local = f"{'wss' if self.tls else 'ws'}://{self.local_host}:{self.livekit_port}"
        return self.livekit_private or self.livekit_url or local

    @property
    def local_host(self) -> str:
        """An address of this machine on which `host` is listening, for URLs between our own processes."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)
        return f"[{host}]" if ":" in host else host

    @property
    def backend_url(self) -> str:
        """Origin of the backend as our own processes reach it."""
        return f"{'https' if self.tls else 'http'}://{self.local_host}:{self.port}"

    @property
    def media_workers(self) -> int:
        """How many processes share the rooms; 1: the media server is a single process."""
        if self.media_processes:
            return self.media_processes
        if not sys.platform.startswith("linux"):
            return 1  # open connections are handed over in a way that others do not have
        return min(len(os.sched_getaffinity(0)), MAX_MEDIA_WORKERS)

    @property
    def media_metrics_socket(self) -> Path | None:
        """Where the embedded media server tells the backend its metrics; None when nobody asks."""
        wanted = self.metrics_port is not None and self.livekit_embedded
        return self.data_dir / "run" / "media-metrics.sock" if wanted else None

    def to_env(self) -> dict[str, str]:
        """The same settings as environment variables, for a child process."""
        env: dict[str, str] = {}
        for name, field in type(self).model_fields.items():
            value = getattr(self, name)
            if value is None or value == "" or value == ():
                continue
            if isinstance(value, bool):
                text = str(value).lower()
            elif isinstance(value, tuple):
                text = ",".join(map(str, value))
            elif isinstance(value, float):
                text = f"{value:g}s"
            else:
                text = str(value)
            env[str(field.validation_alias)] = text
        return env


def explain(error: ValidationError) -> str:
    """Which settings are wrong, and why, in one line without their values."""
    return "; ".join(
        f"{'.'.join(map(str, issue['loc'])) or 'settings'}: {issue['msg'].removeprefix('Value error, ')}"
        for issue in error.errors(include_input=False)
    )


def describe() -> list[tuple[str, str, str]]:
    """(environment variable, default as text, description) of every setting, in declaration order."""
    rows = []
    for field in Settings.model_fields.values():
        default = field.default
        if default is None or default == "" or default == ():
            text = ""
        elif isinstance(default, bool):
            text = str(default).lower()
        elif isinstance(default, float):
            text = f"{default:g}s"
        elif isinstance(default, tuple):
            text = ",".join(default)
        else:
            text = str(default)
        rows.append((str(field.validation_alias), text, field.description or ""))
    return rows
