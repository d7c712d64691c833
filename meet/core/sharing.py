"""SharingService: links to a recording that expire and can be revoked, beside the contract's two that never do.

A link of ours opens what the recording's own secrets open, in the same places: the page of the recording, its data and
its media take the link's secret as `recordingSecret`. Only a hash of it is stored.
"""

from __future__ import annotations

import secrets
from typing import Final, Literal, TypeAlias

import structlog

from .callers import Caller
from .clock import Clock
from .errors import RecordingNotFound, ValidationFailed
from .ids import new_secret
from .model.paging import Page, PageRequest
from .model.share_link import NewShareLink, ShareLink
from .recordings import RecordingService, shared_path
from .share_errors import ShareLinkNotFound, TooManyShareLinks
from .share_ports import ShareLinkRepository
from .shared_secrets import hash_of

log = structlog.get_logger(__name__)

Secrets: TypeAlias = Literal["public", "private", "all"]
"""Which of a recording's own secrets."""

MAX_LINKS: Final = 100
"""Links of one recording that are open at the same time: who makes one per person wants another tool."""


class SharingService:
    """Who may play a recording may share it, and revoke a link whose id they know. Seeing all links, and taking
    back the recording's own URLs, is for those who may delete it: other people's links are at stake."""

    def __init__(self, *, recordings: RecordingService, links: ShareLinkRepository, clock: Clock) -> None:
        self._recordings = recordings
        self._links = links
        self._clock = clock

    async def create(
        self, caller: Caller, recording_id: str, *, private: bool = False, expires_at: int | None = None
    ) -> NewShareLink:
        """A new link; `expires_at` in ms. Its secret is not kept, so this is the only time that it is told.

        Raises RecordingNotFound, InsufficientPermissions, AnonymousAccessDisabled (a public link to a recording whose
        room keeps strangers out), ValidationFailed for a time that is over, TooManyShareLinks."""
        await self._recordings.require_shareable(caller, recording_id, private=private)
        now = self._clock.now_ms()
        if expires_at is not None and expires_at <= now:
            raise ValidationFailed.one("expiresAt", "expiresAt must be in the future")
        secret = secrets.token_hex(16)
        link = ShareLink(
            link_id=f"SL_{secrets.token_hex(8)}",
            recording_id=recording_id,
            secret_hash=hash_of(secret),
            private=private,
            created_at=now,
            expires_at=expires_at,
        )
        added = await self._links.add(link, limit=MAX_LINKS)
        if added == "gone":
            raise RecordingNotFound(recording_id)
        if added == "full":
            raise TooManyShareLinks(recording_id, MAX_LINKS)
        log.info("share_link_created", recording=recording_id, link=link.link_id, private=private, expires=expires_at)
        return NewShareLink(link, shared_path(recording_id, secret))

    async def list(self, caller: Caller, recording_id: str, request: PageRequest) -> Page[ShareLink]:
        """Raises RecordingNotFound, InsufficientPermissions, ValidationFailed."""
        await self._recordings.accessible(caller, recording_id, "canDeleteRecordings")
        return await self._links.page(recording_id, request)

    def is_over(self, link: ShareLink) -> bool:
        """True once it has expired."""
        return not link.open_at(self._clock.now_ms())

    async def revoke(self, caller: Caller, recording_id: str, link_id: str) -> None:
        """It opens nothing from now on. Raises RecordingNotFound, InsufficientPermissions, ShareLinkNotFound."""
        await self._recordings.accessible(caller, recording_id, "recordingPlay")
        if not await self._links.remove(recording_id, link_id):
            raise ShareLinkNotFound(recording_id, link_id)
        log.info("share_link_revoked", recording=recording_id, link=link_id)

    async def revoke_own(self, caller: Caller, recording_id: str, which: Secrets) -> None:
        """Replace the recording's own secrets: URLs that were given away open nothing, the next ones are different.

        Raises RecordingNotFound, InsufficientPermissions."""
        await self._recordings.accessible(caller, recording_id, "canDeleteRecordings")
        public = new_secret() if which in ("public", "all") else None
        private = new_secret() if which in ("private", "all") else None
        if not await self._links.replace_secrets(recording_id, public=public, private=private):
            raise RecordingNotFound(recording_id)
        log.info("recording_urls_revoked", recording=recording_id, which=which)
