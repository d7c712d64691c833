"""Errors about share links (a branch of the tree in `errors`)."""

from __future__ import annotations

from .errors import Conflict, NotFound


class ShareLinkNotFound(NotFound):
    title = "Recording Error"

    def __init__(self, recording_id: str, link_id: str) -> None:
        super().__init__(f"Share link '{link_id}' of recording '{recording_id}' not found")
        self.recording_id = recording_id


class TooManyShareLinks(Conflict):
    title = "Recording Error"

    def __init__(self, recording_id: str, limit: int) -> None:
        super().__init__(f"Recording '{recording_id}' has {limit} share links already")
        self.recording_id = recording_id
