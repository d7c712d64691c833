"""What can be wrong about meetings and their assistants; a part of the tree in `errors.py`."""

from __future__ import annotations

from .errors import Conflict, MeetError


class NotPromotable(Conflict):
    title = "Participant Error"

    def __init__(self, room_id: str, identity: str) -> None:
        super().__init__(
            f"Participant '{identity}' in room '{room_id}' cannot be promoted to moderator because they are not "
            "eligible for promotion"
        )


class NotDemotable(Conflict):
    title = "Participant Error"

    def __init__(self, room_id: str, identity: str) -> None:
        super().__init__(
            f"Participant '{identity}' in room '{room_id}' cannot be demoted because they are not a promoted moderator"
        )


class UnreadableParticipant(MeetError):
    """The metadata of a participant is not what our tokens put there (contract 7.3: a 500)."""

    def __init__(self, room_id: str, identity: str) -> None:
        super().__init__(f"Unexpected error while changing the role of participant '{identity}' in room '{room_id}'")


class CaptionsUnavailable(MeetError):
    """Live captions are off, or the media server cannot have any; the message says which (a 500 on the wire)."""

    title = "Configuration Error"

    @classmethod
    def by_server(cls) -> CaptionsUnavailable:
        return cls(
            "Live captions are not enabled in the server configuration. "
            "Please set CAPTIONS_ENABLED to true to enable this feature."
        )

    @classmethod
    def by_room(cls) -> CaptionsUnavailable:
        return cls("Live captions are not enabled in the room configuration.")

    @classmethod
    def no_agents(cls) -> CaptionsUnavailable:
        return cls("Live captions are switched on, but the media server has no agents that could write them.")


class AssistantStarting(Conflict):
    title = "AI Assistant Error"

    def __init__(self, room_id: str) -> None:
        super().__init__(f"AI assistant  for room '{room_id}' is already starting")


class AssistantStopping(Conflict):
    title = "AI Assistant Error"

    def __init__(self, room_id: str) -> None:
        super().__init__(f"AI assistant cannot be stopped for room '{room_id}'")
