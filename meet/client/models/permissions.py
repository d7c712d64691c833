"""What members of a room may do."""

from __future__ import annotations

from meet.client.models.base import Model, Selection, sent


class Permissions(Selection):
    """All permissions of a role or a member."""

    can_record: bool = sent()
    can_retrieve_recordings: bool = sent()
    can_delete_recordings: bool = sent()
    can_join_meeting: bool = sent()
    can_share_access_links: bool = sent()
    can_make_moderator: bool = sent()
    can_kick_participants: bool = sent()
    can_end_meeting: bool = sent()
    can_publish_video: bool = sent()
    can_publish_audio: bool = sent()
    can_share_screen: bool = sent()
    can_read_chat: bool = sent()
    can_write_chat: bool = sent()
    can_change_virtual_background: bool = sent()


class Role(Model):
    """What a role of a room grants."""

    permissions: Permissions


class Roles(Model):
    """The two roles of a room."""

    moderator: Role
    speaker: Role
