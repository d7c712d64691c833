"""The secrets of share links: what is stored of them, and which link one opens."""

from __future__ import annotations

import hashlib
import hmac

from .model.share_link import ShareLink
from .share_ports import ShareLinkRepository


def hash_of(secret: str) -> str:
    """SHA-256 in hex: the secrets are 128 random bits, there is nothing to guess."""
    return hashlib.sha256(secret.encode()).hexdigest()


async def opened_by(links: ShareLinkRepository, recording_id: str, secret: str, now: int) -> ShareLink | None:
    """The link of this recording that `secret` opens at `now`.

    How long the database looks for a hash tells nothing about the secrets behind the others."""
    wanted = hash_of(secret)
    link = await links.find(recording_id, wanted)
    valid = link is not None and hmac.compare_digest(wanted, link.secret_hash) and link.open_at(now)
    return link if valid else None
