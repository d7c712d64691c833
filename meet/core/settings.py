"""The part of the configuration that the domain needs, in its own words."""

from __future__ import annotations

from dataclasses import dataclass, field

from .permission_names import Mode


@dataclass(frozen=True, slots=True, kw_only=True)
class CoreSettings:
    """Filled by the composition root from `meet.config.Settings`. Durations in seconds."""

    livekit_api_key: str
    livekit_api_secret: str = field(repr=False)
    """Public URL put into join tokens; None: the caller of the token service passes one per request."""
    name_id: str = "openviduMeet"
    mode: Mode = "3.8.0"
    """Which names of permissions documents and metadata carry."""
    initial_admin_user: str = "admin"
    initial_admin_password: str = field(repr=False)
    initial_api_key: str | None = field(default=None, repr=False)
    guessable: frozenset[str] = frozenset()
    """Passwords and keys that are never accepted, whatever is stored: this server can be reached by others."""
    initial_webhook_enabled: bool = False
    initial_webhook_url: str = ""
    captions_enabled: bool = False
    access_token_ttl_s: float = 7200
    refresh_token_ttl_s: float = 86400
    room_member_token_ttl_s: float = 7200
    password_change_token_ttl_s: float = 900
    refresh_token_rotation: bool = True
    meeting_empty_timeout_s: float = 20
    meeting_departure_timeout_s: float = 20
    storage_prefix: str = "openvidu-meet"
    """First part of every object key (contract 4.1: the S3 sub-bucket)."""
    store: str | None = None
    """Name of the store that new recordings go to."""
    recording_start_timeout_s: float = 20.0
    recording_poll_interval_s: float = 0.5
    """How often a pending start asks the media server, should its webhook be lost."""
    recording_stop_grace_s: float = 1.0
    """How long a forced room deletion lets running egress end (contract 4.9)."""
    room_ending_grace_s: float = 5.0
    """How long a forced room deletion waits for the meeting's end, which deletes the room."""
    lock_grace_s: float = 30.0
    stale_grace_s: float = 300.0
    name_reservation_ttl_s: int = 12 * 3600
