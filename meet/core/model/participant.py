"""What the server itself knows about the rights of somebody in a meeting."""

from __future__ import annotations

from dataclasses import dataclass

from meet.core.callers import Badge

from .permissions import Permissions


@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipantGrant:
    """Own rights as of the last join token, without what a promotion adds; `promoted` only ever with badge `other`.
    `user_id` is the registered user, whatever the identity is (that of a guest's link, for one).

    The participant's metadata on the media server says the same, but its owner can write there."""

    permissions: Permissions
    badge: Badge
    promoted: bool = False
    user_id: str | None = None
