"""Links to recordings (openapi/meet-extra)."""

from __future__ import annotations

from pydantic import Field

from meet.client.models.base import Milliseconds, Model


class ShareLink(Model):
    """A link to a recording; `link_id` revokes it and opens nothing."""

    link_id: str
    recording_id: str
    private_access: bool
    creation_date: Milliseconds
    expires_at: Milliseconds | None = None
    expired: bool


class NewShareLink(ShareLink):
    """A link, the only time its URL is told."""

    url: str = Field(repr=False)
