"""What sharing asks of the database."""

from __future__ import annotations

from typing import Literal, Protocol, TypeAlias

from .model.paging import Page, PageRequest
from .model.share_link import ShareLink

Added: TypeAlias = Literal["added", "gone", "full"]


class ShareLinkRepository(Protocol):
    """Share links; they go with their recording."""

    async def add(self, link: ShareLink, *, limit: int) -> Added:
        """`gone` when the recording is; `full` when it has `limit` links that are open when this one is made."""
        ...

    async def find(self, recording_id: str, secret_hash: str) -> ShareLink | None:
        """The recording's link with this hash, expired or not."""
        ...

    async def page(self, recording_id: str, request: PageRequest) -> Page[ShareLink]:
        """One page, by creation date. Raises ValidationFailed for a bad cursor."""
        ...

    async def remove(self, recording_id: str, link_id: str) -> bool:
        """False when there is no such link of this recording."""
        ...

    async def replace_secrets(self, recording_id: str, *, public: str | None, private: str | None) -> bool:
        """New values for the recording's own secrets, None keeps one; False when the recording is gone."""
        ...
