"""Edits that come too late (a branch of the tree in `errors`): somebody else changed the same in the meantime."""

from __future__ import annotations

from .errors import Conflict


class RoomChanged(Conflict):
    title = "Room Error"

    def __init__(self, room_id: str) -> None:
        super().__init__(f"Room '{room_id}' has been changed in the meantime")
        self.room_id = room_id


class RoomMemberChanged(Conflict):
    title = "Room Member Error"

    def __init__(self, room_id: str, member_id: str) -> None:
        super().__init__(f"Room member '{member_id}' of room '{room_id}' has been changed in the meantime")
        self.room_id = room_id


class UserChanged(Conflict):
    title = "User Error"

    def __init__(self, user_id: str) -> None:
        super().__init__(f"User '{user_id}' has been changed in the meantime")
        self.user_id = user_id


class ConfigurationChanged(Conflict):
    title = "Configuration Error"

    def __init__(self) -> None:
        super().__init__("The configuration has been changed in the meantime")
