"""What can be wrong about users and room members; a part of the tree in `errors.py`."""

from __future__ import annotations

from .errors import Conflict, Forbidden


class UserExists(Conflict):
    title = "User Error"

    def __init__(self, user_id: str) -> None:
        super().__init__(f"User '{user_id}' already exists")
        self.user_id = user_id


class ProtectedUser(Forbidden):
    """The root admin, or the caller's own account: not to be changed by this operation.

    `short` is what a bulk deletion reports."""

    title = "User Error"

    def __init__(self, message: str, short: str = "") -> None:
        super().__init__(message)
        self.short = short or message

    @classmethod
    def root_password(cls) -> ProtectedUser:
        return cls("Cannot reset password for the root admin user. The root admin must change their own password.")

    @classmethod
    def own_password(cls) -> ProtectedUser:
        return cls("Cannot reset your own password. Please use the change-password endpoint to change your password.")

    @classmethod
    def root_deletion(cls) -> ProtectedUser:
        text = "Cannot delete the root admin user"
        return cls(f"{text}. This account is required for system administration.", text)

    @classmethod
    def own_deletion(cls) -> ProtectedUser:
        text = "Cannot delete your own account"
        return cls(f"{text}. Please have another administrator delete your account if needed.", text)

    @classmethod
    def root_role(cls) -> ProtectedUser:
        return cls("Cannot change the role of the root admin user. This account must retain administrative privileges.")

    @classmethod
    def own_role(cls) -> ProtectedUser:
        return cls("Cannot change your own role. Please have another administrator change your role if needed.")


class AlreadyMember(Conflict):
    title = "Room Member Error"

    def __init__(self, room_id: str, user_id: str) -> None:
        super().__init__(f"User '{user_id}' is already a member of room '{room_id}'")
        self.room_id = room_id


class NeedsNoMembership(Conflict):
    """Admins and the owner have every right in the room already."""

    title = "Room Member Error"

    def __init__(self, room_id: str, user_id: str) -> None:
        super().__init__(
            f"User '{user_id}' cannot be added as a member of room '{room_id}' because they are the room owner or an "
            "admin"
        )
        self.room_id = room_id
