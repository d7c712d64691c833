"""Data tracks of one client: announcing its own, and numbering and delivering those it subscribed to.

A packet begins with version and flags (one byte), a reserved byte, and the handle (16 bits): the publisher's number for
the track, replaced by the subscriber's. All else passes through, encrypted or not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import structlog
from livekit.protocol import models as pb
from livekit.protocol import rtc as sig

from meet.media.room import Participant, Room, data_tracks
from meet.media.room.data_tracks import DataTrack, DataTrackRefusal, DataTrackRefused

log = structlog.get_logger(__name__)

LABEL = "_data_track"
_HEADER = 12
_MAX_DESCRIPTION = 4 << 10
"""Bytes of a request to publish: everybody in the room is told what is in it, again with every change."""


class DataTracks:
    """deliver: sends one packet to this client."""

    def __init__(self, participant: Participant, room: Room, deliver: Callable[[bytes], object]) -> None:
        self._participant = participant
        self._room = room
        self._deliver = deliver
        self._received: dict[DataTrack, int] = {}
        self._last_handle = 0

    # -- own tracks

    def publish(self, request: sig.PublishDataTrackRequest) -> sig.SignalResponse:
        """publish_data_track_response, or request_response saying why not."""
        track = DataTrack(self._participant, request.pub_handle, request.name)
        info = pb.DataTrackInfo(
            pub_handle=request.pub_handle, sid=track.sid, name=request.name, encryption=request.encryption
        )
        if request.HasField("frame_encoding"):
            info.frame_encoding.CopyFrom(request.frame_encoding)
        if request.HasField("schema"):
            info.schema.CopyFrom(request.schema)
        track.info = info
        try:
            if request.ByteSize() > _MAX_DESCRIPTION:
                raise DataTrackRefused(DataTrackRefusal.LIMIT_EXCEEDED, "the description of the track is too long")
            data_tracks.publish(self._room, track)
        except DataTrackRefused as error:
            log.info("data_track_refused", identity=self._participant.identity, reason=error.reason.name)
            return _refusal(error, publish_data_track=request)
        return sig.SignalResponse(publish_data_track_response=sig.PublishDataTrackResponse(info=info))

    def unpublish(self, request: sig.UnpublishDataTrackRequest) -> sig.SignalResponse:
        try:
            track = data_tracks.unpublish(self._room, self._participant, request.pub_handle)
        except DataTrackRefused as error:
            return _refusal(error, unpublish_data_track=request)
        assert isinstance(track.info, pb.DataTrackInfo)
        return sig.SignalResponse(unpublish_data_track_response=sig.UnpublishDataTrackResponse(info=track.info))

    def relay(self, packet: bytes, receivers: Iterable[DataTracks]) -> None:
        """Pass on a packet that this client sent."""
        track = self._participant.data_tracks.get(int.from_bytes(packet[2:4], "big"))
        if track is not None and len(packet) >= _HEADER:
            for receiver in receivers:
                receiver._take(track, packet)

    # -- those of others

    def subscribe(self, request: sig.UpdateDataSubscription) -> sig.SignalResponse:
        """All handles as they are afterwards; what does not exist or is not allowed has none."""
        self._received = {track: handle for track, handle in self._received.items() if track.current}
        published = data_tracks.by_sid(self._room)
        for update in request.updates:
            track = published.get(update.track_sid)
            if track is None:
                continue
            if not update.subscribe:
                self._received.pop(track, None)
            elif track not in self._received and data_tracks.permitted(self._participant, track):
                self._received[track] = self._free_handle()
        handles = sig.DataTrackSubscriberHandles()
        for track, handle in self._received.items():
            handles.sub_handles[handle].publisher_identity = track.owner.identity
            handles.sub_handles[handle].publisher_sid = track.owner.sid
            handles.sub_handles[handle].track_sid = track.sid
        return sig.SignalResponse(data_track_subscriber_handles=handles)

    def _take(self, track: DataTrack, packet: bytes) -> None:
        handle = self._received.get(track)
        if handle is not None and data_tracks.permitted(self._participant, track):
            self._deliver(packet[:2] + handle.to_bytes(2, "big") + packet[4:])

    def _free_handle(self) -> int:
        taken = set(self._received.values())
        while True:
            self._last_handle = self._last_handle % data_tracks.MAX_HANDLE + 1
            if self._last_handle not in taken:
                return self._last_handle


def _refusal(
    error: DataTrackRefused,
    publish_data_track: sig.PublishDataTrackRequest | None = None,
    unpublish_data_track: sig.UnpublishDataTrackRequest | None = None,
) -> sig.SignalResponse:
    response = sig.RequestResponse(
        reason=int(error.reason),  # type: ignore[arg-type]
        message=str(error),
        publish_data_track=publish_data_track,
        unpublish_data_track=unpublish_data_track,
    )
    return sig.SignalResponse(request_response=response)
