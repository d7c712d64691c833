"""What each message of a client does."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import structlog
from livekit.protocol import rtc as sig

from meet.media.gateway.session import Session
from meet.media.gateway.subscriber_offer import OfferingSubscriber
from meet.media.room import NotAllowed, TrackPermission
from meet.media.sdp.parse import SdpError, parse

log = structlog.get_logger(__name__)

_MAX_ATTRIBUTES = 64 * 1024


def handle(session: Session, request: sig.SignalRequest) -> bool:
    """Carry out one request. False when the client leaves. Unknown kinds are skipped."""
    kind = request.WhichOneof("message")
    if kind == "leave":
        return False
    handler = _HANDLERS.get(kind or "")
    if handler is None:
        log.debug("signal_skipped", kind=kind)
        return True
    try:
        handler(session, getattr(request, str(kind)))
    except SdpError as error:
        log.warning("bad_sdp", identity=session.participant.identity, error=str(error))
    return True


def _offer(session: Session, description: sig.SessionDescription) -> None:
    session.answer(parse(description.sdp), description.id)


def _answer(session: Session, description: sig.SessionDescription) -> None:
    if isinstance(session.subscriber, OfferingSubscriber):
        session.subscriber.on_answer(parse(description.sdp), description.id)


def _add_track(session: Session, request: sig.AddTrackRequest) -> None:
    session.send(session.publisher.add_track(request))


def _mute(session: Session, request: sig.MuteTrackRequest) -> None:
    publication = session.participant.tracks.get(request.sid)
    if publication is not None:
        session.room.set_muted(publication, request.muted)
        session.apply_mute(publication)


def _ping(session: Session, _sent_ms: int) -> None:
    session.send(sig.SignalResponse(pong=_now_ms()))


def _ping_req(session: Session, ping: sig.Ping) -> None:
    pong = sig.Pong(last_ping_timestamp=ping.timestamp, timestamp=_now_ms())
    session.send(sig.SignalResponse(pong_resp=pong))


def _subscription(session: Session, request: sig.UpdateSubscription) -> None:
    sids = [*request.track_sids, *(s for p in request.participant_tracks for s in p.track_sids)]
    session.room.set_subscription(session.participant, sids, request.subscribe)


def _track_setting(session: Session, settings: sig.UpdateTrackSettings) -> None:
    session.subscriber.configure(settings)


def _subscription_permission(session: Session, request: sig.SubscriptionPermission) -> None:
    rules = [
        TrackPermission(
            participant_sid=p.participant_sid,
            participant_identity=p.participant_identity,
            all_tracks=p.all_tracks,
            track_sids=frozenset(p.track_sids),
        )
        for p in request.track_permissions
    ]
    session.room.set_track_permissions(session.participant, allow_all=request.all_participants, rules=rules)


def _update_metadata(session: Session, request: sig.UpdateParticipantMetadata) -> None:
    reason, message = sig.RequestResponse.OK, ""
    size = len(request.metadata) + len(request.name)
    size += sum(len(k) + len(v) for k, v in request.attributes.items())
    try:
        if size > _MAX_ATTRIBUTES:
            reason, message = sig.RequestResponse.LIMIT_EXCEEDED, "metadata is too large"
        else:
            session.room.update_self(
                session.participant,
                metadata=request.metadata or None,
                name=request.name or None,
                attributes=request.attributes,
            )
    except NotAllowed as error:
        reason, message = sig.RequestResponse.NOT_ALLOWED, str(error)
    response = sig.RequestResponse(
        request_id=request.request_id, reason=reason, message=message, update_metadata=request
    )
    session.send(sig.SignalResponse(request_response=response))


def _sync_state(session: Session, state: sig.SyncState) -> None:
    """After a resume the client repeats its settings; we may have missed pauses, and it data packets."""
    for sid in state.track_sids_disabled:
        session.subscriber.pause(sid)
    if state.HasField("data_subscription"):
        _data_subscription(session, state.data_subscription)
    session.replay({s.publisher_sid: s.last_seq for s in state.datachannel_receive_states})


def _update_audio_track(session: Session, request: sig.UpdateLocalAudioTrack) -> None:
    publication = session.participant.tracks.get(request.track_sid)
    if publication is not None:
        publication.audio_features = tuple(int(f) for f in request.features)
        session.room.announce(session.participant)


def _update_video_track(session: Session, request: sig.UpdateLocalVideoTrack) -> None:
    publication = session.participant.tracks.get(request.track_sid)
    if publication is not None:
        publication.width, publication.height = request.width, request.height
        session.room.announce(session.participant)


def _publish_data_track(session: Session, request: sig.PublishDataTrackRequest) -> None:
    session.send(session.data_tracks.publish(request))


def _unpublish_data_track(session: Session, request: sig.UnpublishDataTrackRequest) -> None:
    session.send(session.data_tracks.unpublish(request))


def _data_subscription(session: Session, request: sig.UpdateDataSubscription) -> None:
    session.send(session.data_tracks.subscribe(request))


def _trickle(_session: Session, _request: sig.TrickleRequest) -> None:
    """ICE-lite learns the client's address from its checks."""


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


_HANDLERS: dict[str, Callable[[Session, Any], None]] = {
    "offer": _offer,
    "answer": _answer,
    "trickle": _trickle,
    "add_track": _add_track,
    "mute": _mute,
    "ping": _ping,
    "ping_req": _ping_req,
    "subscription": _subscription,
    "track_setting": _track_setting,
    "subscription_permission": _subscription_permission,
    "update_metadata": _update_metadata,
    "sync_state": _sync_state,
    "update_audio_track": _update_audio_track,
    "update_video_track": _update_video_track,
    "publish_data_track_request": _publish_data_track,
    "unpublish_data_track_request": _unpublish_data_track,
    "update_data_subscription": _data_subscription,
}
