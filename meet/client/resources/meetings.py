"""`client.meetings`: what moderators do while people meet. Needs a room member token."""

from __future__ import annotations

from typing import Literal

from meet.client.flow import Flow
from meet.client.models.base import Message
from meet.client.operation import operation
from meet.client.resource import INTERNAL, AsyncResource, Resource, SyncResource, path


class MeetingOperations(Resource):
    """End the meeting, remove and promote participants."""

    @operation("endMeeting")
    def end(self, room_id: str) -> Flow[Message]:
        """End the meeting for everybody."""
        return self._request("DELETE", INTERNAL + path("/meetings/{}", room_id), Message.model_validate_json)

    @operation("kickParticipant")
    def kick(self, room_id: str, participant_identity: str) -> Flow[Message]:
        """Remove a participant."""
        url = INTERNAL + path("/meetings/{}/participants/{}", room_id, participant_identity)
        return self._request("DELETE", url, Message.model_validate_json)

    @operation("updateParticipantRole")
    def moderate(
        self, room_id: str, participant_identity: str, action: Literal["upgrade", "downgrade"]
    ) -> Flow[Message]:
        """Make a participant a moderator, or end that again."""
        url = INTERNAL + path("/meetings/{}/participants/{}/role", room_id, participant_identity)
        return self._request("PUT", url, Message.model_validate_json, body={"action": action})


class Meetings(MeetingOperations, SyncResource):
    """Meetings, blocking."""


class AsyncMeetings(MeetingOperations, AsyncResource):
    """Meetings, with asyncio."""
