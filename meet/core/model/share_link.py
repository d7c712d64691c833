"""Links to one recording that end some day, or when somebody says so."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareLink:
    """A link as stored: what opens it is only known as a hash. Times in ms."""

    link_id: str
    recording_id: str
    secret_hash: str = field(repr=False)
    private: bool
    """True: whoever follows it has to be logged in."""
    created_at: int
    expires_at: int | None = None

    def open_at(self, now: int) -> bool:
        """False from the moment it expires."""
        return self.expires_at is None or now < self.expires_at


@dataclass(frozen=True, slots=True)
class NewShareLink:
    """A link that was just made, and the only copy of what opens it: its path below the base URL."""

    link: ShareLink
    path: str = field(repr=False)
