"""Room layer objects as LiveKit protobuf messages, and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from livekit.protocol import models as pb
from livekit.protocol import rtc as sig

from meet.media.room import Layer, Participant, Permission, Publication, Room, TrackKind, TrackSource

SERVER_VERSION = "1.9.0"
PROTOCOL = 16


def _enum(value: int) -> Any:
    """Protobuf enums are plain ints at run time, but the stubs say otherwise."""
    return int(value)


def server_info() -> pb.ServerInfo:
    return pb.ServerInfo(
        edition=pb.ServerInfo.Standard,
        version=SERVER_VERSION,
        protocol=PROTOCOL,
        node_id="ND_meet",
        agent_protocol=1,
    )


def room_info(room: Room) -> pb.Room:
    return pb.Room(
        sid=room.sid,
        name=room.name,
        empty_timeout=room.empty_timeout_s,
        departure_timeout=room.departure_timeout_s,
        max_participants=room.max_participants,
        creation_time=room.created_at_ms // 1000,
        creation_time_ms=room.created_at_ms,
        metadata=room.metadata,
        num_participants=len(room.visible),
        num_publishers=room.num_publishers,
        active_recording=room.active_recording,
        enabled_codecs=[pb.Codec(mime=mime) for mime in room.codecs],
    )


def permission_info(permission: Permission) -> pb.ParticipantPermission:
    return pb.ParticipantPermission(
        can_subscribe=permission.can_subscribe,
        can_publish=permission.can_publish,
        can_publish_data=permission.can_publish_data,
        can_publish_sources=[_enum(s) for s in sorted(permission.can_publish_sources)],
        can_update_metadata=permission.can_update_metadata,
        hidden=permission.hidden,
        recorder=permission.recorder,
    )


def permission_from(message: pb.ParticipantPermission) -> Permission:
    return Permission(
        can_subscribe=message.can_subscribe,
        can_publish=message.can_publish,
        can_publish_data=message.can_publish_data,
        can_publish_sources=frozenset(TrackSource(s) for s in message.can_publish_sources),
        can_update_metadata=message.can_update_metadata,
        hidden=message.hidden,
        recorder=message.recorder,
    )


def layer_from(message: pb.VideoLayer) -> Layer:
    return Layer(
        quality=int(message.quality),
        width=message.width,
        height=message.height,
        bitrate=message.bitrate,
        rid=message.rid,
        ssrc=message.ssrc,
    )


def _layers(publication: Publication) -> list[pb.VideoLayer]:
    return [
        pb.VideoLayer(
            quality=_enum(layer.quality),
            width=layer.width,
            height=layer.height,
            bitrate=layer.bitrate,
            rid=layer.rid,
        )
        for layer in publication.layers
    ]


def track_info(publication: Publication) -> pb.TrackInfo:
    layers = _layers(publication)
    info = pb.TrackInfo(
        sid=publication.sid,
        type=_enum(publication.kind),
        name=publication.name,
        muted=publication.muted,
        width=publication.width,
        height=publication.height,
        simulcast=publication.simulcast,
        disable_dtx=publication.disable_dtx,
        source=_enum(publication.source),
        layers=layers,
        mime_type=publication.mime_type,
        mid=publication.mid,
        stereo=publication.stereo,
        disable_red=publication.disable_red,
        encryption=_enum(publication.encryption),
        stream=publication.stream,
        audio_features=[_enum(f) for f in publication.audio_features],
    )
    if publication.kind is TrackKind.VIDEO:
        info.codecs.append(
            pb.SimulcastCodecInfo(
                mime_type=publication.mime_type, mid=publication.mid, cid=publication.cid, layers=layers
            )
        )
    return info


def participant_info(participant: Participant) -> pb.ParticipantInfo:
    return pb.ParticipantInfo(
        sid=participant.sid,
        identity=participant.identity,
        state=_enum(participant.state),
        tracks=[track_info(t) for t in participant.live_tracks],
        metadata=participant.metadata,
        joined_at=participant.joined_at_ms // 1000,
        joined_at_ms=participant.joined_at_ms,
        name=participant.name,
        version=participant.version,
        permission=permission_info(participant.permission),
        is_publisher=participant.is_publisher,
        kind=_enum(participant.kind),
        attributes=participant.attributes,
        disconnect_reason=_enum(participant.disconnect_reason),
        client_protocol=participant.client_protocol,
        data_tracks=[t.info for t in participant.data_tracks.values() if isinstance(t.info, pb.DataTrackInfo)],
    )


def subscribed_quality(quality: int, enabled: bool) -> sig.SubscribedQuality:
    return sig.SubscribedQuality(quality=_enum(quality), enabled=enabled)


def quality_info(participant_sid: str, quality: int, score: float) -> sig.ConnectionQualityInfo:
    return sig.ConnectionQualityInfo(participant_sid=participant_sid, quality=_enum(quality), score=score)


def stream_state(publication: Publication, *, paused: bool) -> sig.StreamStateInfo:
    return sig.StreamStateInfo(
        participant_sid=publication.owner.sid, track_sid=publication.sid, state=_enum(1 if paused else 0)
    )


def join_response(
    participant: Participant, room: Room, ice_servers: Sequence[sig.ICEServer], *, single_pc: bool
) -> sig.SignalResponse:
    """The first message: everything the client needs before any media. Ping times are seconds."""
    return sig.SignalResponse(
        join=sig.JoinResponse(
            room=room_info(room),
            participant=participant_info(participant),
            other_participants=[participant_info(p) for p in room.others_visible_to(participant)],
            server_version=SERVER_VERSION,
            server_info=server_info(),
            ice_servers=ice_servers,
            subscriber_primary=not single_pc,
            ping_interval=5,
            ping_timeout=15,
            enabled_publish_codecs=[pb.Codec(mime=mime) for mime in room.codecs],
        )
    )
