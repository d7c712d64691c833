"""A participant: identity, attributes, permission, publications, and the link to its client."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from meet.media.room.link import LeaveReason, ParticipantLink
from meet.media.room.model import ParticipantKind, ParticipantState, Permission, TrackPermission, new_sid
from meet.media.room.publication import Publication

if TYPE_CHECKING:
    from meet.media.room.data_tracks import DataTrack
    from meet.media.room.room import Room


@dataclass(eq=False)
class Participant:
    """One member of a room. `tracks` holds every publication by sid, also those whose media is not live yet."""

    identity: str
    link: ParticipantLink
    name: str = ""
    metadata: str = ""
    attributes: dict[str, str] = field(default_factory=dict)
    kind: ParticipantKind = ParticipantKind.STANDARD
    permission: Permission = field(default_factory=Permission)
    joined_at_ms: int = 0
    sid: str = field(default_factory=lambda: new_sid("PA_"))
    state: ParticipantState = ParticipantState.JOINING
    version: int = 0
    tracks: dict[str, Publication] = field(default_factory=dict)
    data_tracks: dict[int, DataTrack] = field(default_factory=dict)
    """By the client's own number for it."""
    disconnect_reason: LeaveReason = LeaveReason.UNKNOWN_REASON
    room: Room | None = None
    allow_all_subscribers: bool = True
    track_permissions: tuple[TrackPermission, ...] = ()
    auto_subscribe: bool = True
    subscription_choices: dict[str, bool] = field(default_factory=dict)
    announced: bool = False
    client_protocol: int = 0

    @property
    def hidden(self) -> bool:
        """Invisible to the others: it never shows up in their lists and never keeps a room alive."""
        return self.permission.hidden or self.permission.recorder

    @property
    def live_tracks(self) -> list[Publication]:
        return [t for t in self.tracks.values() if t.live]

    @property
    def is_publisher(self) -> bool:
        return any(t.live for t in self.tracks.values())

    def allows_subscription(self, subscriber: Participant, track_sid: str) -> bool:
        """The publisher's own rule (setTrackSubscriptionPermissions); recorders are always let in."""
        if self.allow_all_subscribers or subscriber.permission.recorder:
            return True
        return any(
            (rule.all_tracks or track_sid in rule.track_sids)
            and (
                (rule.participant_sid and rule.participant_sid == subscriber.sid)
                or (rule.participant_identity and rule.participant_identity == subscriber.identity)
            )
            for rule in self.track_permissions
        )

    def apply(
        self,
        *,
        metadata: str | None = None,
        name: str | None = None,
        attributes: Mapping[str, str] | None = None,
        permission: Permission | None = None,
    ) -> None:
        """Change what is given; an attribute set to the empty string is removed."""
        if metadata is not None:
            self.metadata = metadata
        if name is not None:
            self.name = name
        for key, value in (attributes or {}).items():
            if value:
                self.attributes[key] = value
            else:
                self.attributes.pop(key, None)
        if permission is not None:
            self.permission = permission
