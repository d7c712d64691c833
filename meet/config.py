"""Typed settings, frozen once read. Environment names are OpenVidu Meet's where it has one.

Every setting is one field: its `validation_alias` is the environment variable, its `description` is what
`meet serve --help` and docs/configuration.md print (a test compares the three).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from meet.durations import parse_seconds


def _csv(value: Any) -> Any:
    return tuple(item.strip() for item in value.split(",") if item.strip()) if isinstance(value, str) else value


Seconds = Annotated[float, BeforeValidator(parse_seconds), Field(gt=0)]
CommaList = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_csv)]


def _env(default: Any, name: str, description: str, **extra: Any) -> Any:
    return Field(default, validation_alias=name, description=description, **extra)


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
    log_level: str = _env("info", "MEET_LOG_LEVEL", "debug, info, warning or error")
    log_format: Literal["text", "json"] = _env("text", "MEET_LOG_FORMAT", "text, or json for one object per line")
    name_id: str = _env("openviduMeet", "MEET_NAME_ID", "project id stamped on media rooms created here")

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
    rtc_port: int = _env(7882, "MEET_RTC_PORT", "UDP port of all media; 0 picks a free one", ge=0, le=65535)
    rtc_host: str = _env("0.0.0.0", "MEET_RTC_HOST", "address the UDP port is bound to")
    rtc_advertised: CommaList = _env(
        (), "MEET_RTC_ADVERTISED", "comma list of addresses told to clients; empty: every local IPv4 address"
    )
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
    captions_enabled: bool = _env(
        False, "MEET_CAPTIONS_ENABLED", "reported to clients; live captions themselves are not built in"
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

    @field_validator("data_dir")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    @model_validator(mode="after")
    def _check_pairs(self) -> Self:
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("MEET_TLS_CERT and MEET_TLS_KEY go together")
        if self.s3_sse_type == "SSE-KMS" and not self.s3_sse_kms_key_id:
            raise ValueError("MEET_S3_SSE_TYPE=SSE-KMS needs MEET_S3_SSE_KMS_KEY_ID")
        if self.livekit_url and not self.livekit_url.startswith(("ws://", "wss://", "http://", "https://")):
            raise ValueError("LIVEKIT_URL must start with ws:// or wss://")
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
                text = ",".join(value)
            elif isinstance(value, float):
                text = f"{value:g}s"
            else:
                text = str(value)
            env[str(field.validation_alias)] = text
        return env


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
        else:
            text = str(default)
        rows.append((str(field.validation_alias), text, field.description or ""))
    return rows
