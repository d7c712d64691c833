"""One room: its members, what they see of each other, and every operation on them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

import structlog

from meet.media.room import subscriptions
from meet.media.room.errors import NotAllowed, ParticipantNotFound, RoomFull, TrackNotFound
from meet.media.room.events import (
    ParticipantJoined,
    ParticipantLeft,
    RoomEvent,
    RoomFinished,
    RoomStarted,
    RoomUpdated,
    TrackPublished,
    TrackUnpublished,
)
from meet.media.room.link import LeaveAction, LeaveReason, SpeakerLevel
from meet.media.room.model import ParticipantState, Permission, RoomOptions, TrackPermission, new_sid
from meet.media.room.participant import Participant
from meet.media.room.publication import Publication

log = structlog.get_logger(__name__)


class Room:
    """Members by identity, in order of joining. Use `RoomRegistry.create` to make one."""

    def __init__(
        self,
        name: str,
        *,
        emit: Callable[[RoomEvent], None],
        clock: Callable[[], float],
        wall_ms: Callable[[], int],
        empty_timeout_s: int,
        departure_timeout_s: int,
        codecs: tuple[str, ...],
    ) -> None:
        self.name = name
        self.sid = new_sid("RM_")
        self.metadata = ""
        self.empty_timeout_s = empty_timeout_s
        self.departure_timeout_s = departure_timeout_s
        self.codecs = codecs
        self.max_participants = 0
        self.created_at_ms = wall_ms()
        self.active_recording = False
        self.participants: dict[str, Participant] = {}
        self.closed = False
        self._emit = emit
        self._clock = clock
        self._wall_ms = wall_ms
        self.had_member = False
        """Somebody visible was here at some time."""
        self.restored = False
        """Brought back from an earlier process, and nobody visible has come back yet."""
        self._empty_since: float | None = clock()

    # -- the room itself

    def apply(self, options: RoomOptions) -> None:
        """Take over the options that are given, and tell the members when the metadata changed."""
        changed = options.metadata is not None and options.metadata != self.metadata
        self.configure(options)
        if changed:
            self._tell_room_changed()
        self._emit(RoomUpdated(self))

    def configure(self, options: RoomOptions) -> None:
        """Take over the options that are given and tell nobody: for a room that has only just been made."""
        if options.empty_timeout_s is not None:
            self.empty_timeout_s = options.empty_timeout_s
        if options.departure_timeout_s is not None:
            self.departure_timeout_s = options.departure_timeout_s
        if options.max_participants is not None:
            self.max_participants = options.max_participants
        if options.metadata is not None:
            self.metadata = options.metadata

    def update_metadata(self, metadata: str) -> None:
        self.metadata = metadata
        self._tell_room_changed()
        self._emit(RoomUpdated(self))

    def set_active_recording(self, active: bool) -> None:
        """Show every client whether the room is being recorded."""
        if active != self.active_recording:
            self.active_recording = active
            self._tell_room_changed()

    @property
    def visible(self) -> list[Participant]:
        return [p for p in self.participants.values() if not p.hidden]

    @property
    def num_publishers(self) -> int:
        return sum(1 for p in self.visible if p.is_publisher)

    def started(self) -> None:
        self._emit(RoomStarted(self))

    def expired(self, now: float) -> bool:
        """Nobody visible here for longer than the timeout: departure once somebody was here, empty before."""
        if self._empty_since is None:
            return False
        limit = self.departure_timeout_s if self.had_member else self.empty_timeout_s
        return now - self._empty_since >= limit

    def close(self, reason: LeaveReason, action: LeaveAction) -> None:
        """Disconnect everybody; called by the registry, which has already forgotten the room."""
        if self.closed:
            return
        self.closed = True
        for participant in list(self.participants.values()):
            self.leave(participant, reason, action)
        self._emit(RoomFinished(self))

    def hand_over(self) -> None:
        """The room goes on in another process: everybody is told to come again, and listeners hear nothing of it."""
        self._emit = lambda event: None
        self.close(LeaveReason.MIGRATION, LeaveAction.RECONNECT)

    # -- members

    def admit(self, participant: Participant) -> None:
        """Take the participant in, in state JOINING. A member with the same identity is thrown out first.

        Raises RoomFull. Call `joined` when the client knows that it is in.
        """
        old = self.participants.get(participant.identity)
        full = self.max_participants and len(self.visible) - (old is not None) >= self.max_participants
        if full and not participant.hidden:
            raise RoomFull
        if old is not None:
            self.leave(old, LeaveReason.DUPLICATE_IDENTITY, LeaveAction.DISCONNECT)
        participant.room = self
        participant.joined_at_ms = self._wall_ms()
        self.participants[participant.identity] = participant
        self._note_occupancy()

    def joined(self, participant: Participant) -> None:
        """The client has its join message: show it to the others and give it the live tracks."""
        participant.state = ParticipantState.JOINED
        self.announce(participant, to_self=False)
        subscriptions.settle_all(participant, self._publications())

    def activated(self, participant: Participant) -> None:
        """The media transport is up."""
        if participant.state is not ParticipantState.JOINED:
            return
        participant.state = ParticipantState.ACTIVE
        participant.announced = True
        log.info("participant_joined", room=self.name, identity=participant.identity, sid=participant.sid)
        self.announce(participant)
        self._emit(ParticipantJoined(self, participant))

    def leave(
        self,
        participant: Participant,
        reason: LeaveReason,
        action: LeaveAction = LeaveAction.DISCONNECT,
    ) -> None:
        """Take the participant out; does nothing when it is out already."""
        if self.participants.get(participant.identity) is not participant:
            return
        del self.participants[participant.identity]
        for publication in list(participant.tracks.values()):
            self.unpublish(publication, announce=False)
        participant.state = ParticipantState.DISCONNECTED
        participant.disconnect_reason = reason
        for publication in self._publications():
            participant.link.unsubscribe(publication)
        self.announce(participant, to_self=False)
        participant.link.closed(reason, action)
        log.info(
            "participant_left",
            room=self.name,
            identity=participant.identity,
            sid=participant.sid,
            reason=reason.name,
        )
        self._note_occupancy()
        if participant.announced:
            self._emit(ParticipantLeft(self, participant, reason))

    def participant(self, identity: str) -> Participant:
        """The member; raises ParticipantNotFound."""
        found = self.participants.get(identity)
        if found is None:
            raise ParticipantNotFound(identity)
        return found

    def remove_participant(self, identity: str) -> None:
        """Kick: the client gets PARTICIPANT_REMOVED and does not come back by itself."""
        self.leave(self.participant(identity), LeaveReason.PARTICIPANT_REMOVED)

    def update_participant(
        self,
        identity: str,
        *,
        metadata: str | None = None,
        name: str | None = None,
        attributes: Mapping[str, str] | None = None,
        permission: Permission | None = None,
    ) -> Participant:
        """Change a member from outside; a new permission takes effect on running media at once."""
        member = self.participant(identity)
        member.apply(metadata=metadata, name=name, attributes=attributes, permission=permission)
        if permission is not None:
            for publication in list(member.tracks.values()):
                if not permission.may_publish(publication.source):
                    member.link.unpublished(publication)
                    self.unpublish(publication, announce=False)
            if not permission.can_publish_data:
                member.data_tracks.clear()
            subscriptions.settle_all(member, self._publications())
            self._note_occupancy()
        self.announce(member)
        member.link.rights_changed()
        return member

    def update_self(
        self, member: Participant, *, metadata: str | None, name: str | None, attributes: Mapping[str, str]
    ) -> None:
        """The member changes itself. Raises NotAllowed without canUpdateOwnMetadata."""
        if not member.permission.can_update_metadata:
            raise NotAllowed("does not have permission to update own metadata")
        member.apply(metadata=metadata, name=name, attributes=attributes)
        self.announce(member)
        member.link.rights_changed()

    # -- tracks

    def publish(self, publication: Publication) -> None:
        """Register a track that the client is about to send. Raises NotAllowed for a source it may not publish."""
        owner = publication.owner
        if owner.hidden or not owner.permission.may_publish(publication.source):
            raise NotAllowed("participant is not allowed to publish this source")
        owner.tracks[publication.sid] = publication

    def track_live(self, publication: Publication) -> None:
        """First media arrived: everybody learns of the track, then subscribers get it."""
        if publication.live or publication.owner.tracks.get(publication.sid) is not publication:
            return
        publication.live = True
        self.announce(publication.owner)
        for member in self._others(publication.owner):
            subscriptions.settle(member, publication)
        self._emit(TrackPublished(self, publication.owner, publication))

    def unpublish(self, publication: Publication, *, announce: bool = True) -> None:
        owner = publication.owner
        if owner.tracks.pop(publication.sid, None) is None:
            return
        for member in self._others(owner):
            subscriptions.forget(member, publication)
        if publication.live:
            if announce:
                self.announce(owner)
            self._emit(TrackUnpublished(self, owner, publication))
        publication.live = False

    def set_muted(self, publication: Publication, muted: bool) -> None:
        """The publisher muted or unmuted its own track."""
        if publication.muted != muted:
            publication.muted = muted
            self.announce(publication.owner)

    def mute_track(self, identity: str, track_sid: str, muted: bool) -> Publication:
        """Mute from outside: the client is asked to, and everybody is told. Raises NotFound errors."""
        publication = self.participant(identity).tracks.get(track_sid)
        if publication is None:
            raise TrackNotFound(track_sid)
        if publication.muted != muted:
            publication.muted = muted
            publication.owner.link.mute_requested(publication)
            self.announce(publication.owner)
        return publication

    # -- subscriptions

    def set_subscription(self, member: Participant, track_sids: Iterable[str], wanted: bool) -> None:
        """The member asks for tracks, or gives them up."""
        known = {t.sid: t for t in self._publications()}
        for sid in track_sids:
            publication = known.get(sid)
            if publication is not None:
                member.subscription_choices[sid] = wanted
                subscriptions.settle(member, publication)

    def set_track_permissions(
        self, publisher: Participant, *, allow_all: bool, rules: Sequence[TrackPermission]
    ) -> None:
        """The publisher says who may subscribe to its tracks; those who lose or gain a track are told."""
        members = self._others(publisher)
        tracks = publisher.live_tracks
        before = {(m.sid, t.sid): subscriptions.permitted(m, t) for m in members for t in tracks}
        publisher.allow_all_subscribers = allow_all
        publisher.track_permissions = tuple(rules)
        for member in members:
            for track in tracks:
                allowed = subscriptions.permitted(member, track)
                if allowed != before[member.sid, track.sid]:
                    member.link.subscription_allowed(track, allowed)
                subscriptions.settle(member, track)

    # -- data

    def relay_packet(
        self, sender: Participant, packet: bytes, *, reliable: bool, destinations: Collection[str] = ()
    ) -> None:
        """Pass a member's encoded data packet to the others, or to the identities named. Raises NotAllowed."""
        if not sender.permission.can_publish_data:
            raise NotAllowed("participant is not allowed to publish data")
        for member in self._others(sender):
            if not destinations or member.identity in destinations:
                member.link.deliver_packet(packet, reliable=reliable)

    def send_data(
        self,
        payload: bytes,
        *,
        topic: str = "",
        reliable: bool = True,
        identities: Collection[str] = (),
        sids: Collection[str] = (),
    ) -> None:
        """Send data from the server to everybody, or to the identities and sids named."""
        for member in list(self.participants.values()):
            if (not identities and not sids) or member.identity in identities or member.sid in sids:
                member.link.deliver_data(payload, topic=topic, reliable=reliable)

    # -- telling

    def announce(self, changed: Participant, *, to_self: bool = True) -> None:
        """Send the participant's present state; of a hidden one only itself hears."""
        changed.version += 1
        for member in list(self.participants.values()):
            if member is changed:
                if to_self:
                    member.link.participants_changed([changed])
            elif not changed.hidden and member.state is not ParticipantState.JOINING:
                member.link.participants_changed([changed])

    def others_visible_to(self, viewer: Participant) -> list[Participant]:
        return [p for p in self.visible if p is not viewer]

    def speakers(self, changes: Sequence[SpeakerLevel]) -> None:
        for member in list(self.participants.values()):
            member.link.speakers_changed(changes)

    def _tell_room_changed(self) -> None:
        for member in list(self.participants.values()):
            member.link.room_changed(self)

    def _others(self, member: Participant) -> list[Participant]:
        return [p for p in self.participants.values() if p is not member]

    def _publications(self) -> list[Publication]:
        return [t for p in self.participants.values() for t in p.tracks.values()]

    def _note_occupancy(self) -> None:
        if self.visible:
            self.had_member = True
            self.restored = False
            self._empty_since = None
        elif self._empty_since is None:
            self._empty_since = self._clock()
