"""What live captions need: agents that the media server calls into a room, and a note of who wants them."""

from __future__ import annotations

from typing import Protocol


class AgentDispatcher(Protocol):
    """The media server behind LiveKit's AgentDispatchService.

    Failures raise MediaServerError; CaptionsUnavailable when the media server knows no agents."""

    async def create_dispatch(self, room: str, agent: str) -> str:
        """Call an agent of this name into the room; the id of the dispatch."""

    async def list_dispatches(self, room: str, agent: str) -> list[str]:
        """Ids of the agent's dispatches in the room."""

    async def delete_dispatch(self, room: str, dispatch_id: str) -> None:
        """Send the agent away; absent is fine."""


class CaptionUserRepository(Protocol):
    """Who wants captions in which room; a note is good until its `until` (ms)."""

    async def add(self, room_id: str, identity: str, now: int, until: int) -> None:
        """Also forgets what has run out. Raises RoomNotFound."""

    async def remove(self, room_id: str, identity: str, now: int) -> bool:
        """True when this was the last one of the room."""

    async def clear(self, room_id: str) -> None: ...
