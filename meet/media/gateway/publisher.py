"""The publishing half of a session: announced tracks, the SDP sections they come in, the SSRCs they use."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import structlog
from livekit.protocol import rtc as sig

from meet.media.gateway import wire
from meet.media.room import NotAllowed, Participant, Publication, Room, TrackKind, TrackSource
from meet.media.room.model import new_sid
from meet.media.sdp import codecs, write
from meet.media.sdp.parse import Section
from meet.media.sfu.red import Redundancy
from meet.media.sfu.track import Track
from meet.media.transport.peer import PacketHandler, Peer
from meet.media.transport.rtp import extensions

log = structlog.get_logger(__name__)

_MAX_TRACKS = 32
_MAX_ANNOUNCED = 1024
_MAX_DESCRIPTION = 16 << 10
"""Bytes of an AddTrack request: everybody in the room is told what is in it, again with every change."""
_STREAMS = {
    TrackSource.CAMERA: "camera",
    TrackSource.MICROPHONE: "camera",
    TrackSource.SCREEN_SHARE: "screen_share",
    TrackSource.SCREEN_SHARE_AUDIO: "screen_share",
}
_CODECS = {"vp8": "VP8", "h264": "H264", "vp9": "VP9", "av1": "AV1", "opus": "opus"}


class Publisher:
    """Turns AddTrack requests plus offered sections plus packets into live publications."""

    def __init__(self, participant: Participant, room: Room, peer: Peer) -> None:
        self._participant = participant
        self._room = room
        self._peer = peer
        self._pending: dict[str, Publication] = {}
        self._by_mid: dict[str, Publication] = {}
        self._extension_ids: dict[str, dict[str, int]] = {}
        self._announced_ssrcs: dict[int, tuple[Publication, bool]] = {}
        peer.on_unknown_ssrc = self._recognise

    # -- announcing

    def add_track(self, request: sig.AddTrackRequest) -> sig.SignalResponse:
        """The answer to AddTrack: track_published, or request_response saying why not."""
        publication = self._publication(request)
        try:
            if len(self._participant.tracks) >= _MAX_TRACKS:
                raise NotAllowed("too many tracks")
            if request.ByteSize() > _MAX_DESCRIPTION:
                raise NotAllowed("the description of the track is too long")
            if int(request.type) not in list(TrackKind):
                raise NotAllowed("unsupported track type")
            self._room.publish(publication)
        except NotAllowed as error:
            log.info("publish_refused", room=self._room.name, identity=self._participant.identity)
            return sig.SignalResponse(
                request_response=sig.RequestResponse(
                    reason=sig.RequestResponse.NOT_ALLOWED, message=str(error), add_track=request
                )
            )
        self._pending[request.cid] = publication
        return sig.SignalResponse(
            track_published=sig.TrackPublishedResponse(cid=request.cid, track=wire.track_info(publication))
        )

    def _publication(self, request: sig.AddTrackRequest) -> Publication:
        kind = TrackKind.VIDEO if int(request.type) == TrackKind.VIDEO else TrackKind.AUDIO
        number = int(request.source)
        source = TrackSource(number) if number in list(TrackSource) else TrackSource.UNKNOWN
        wanted = request.simulcast_codecs[0].codec.lower() if request.simulcast_codecs else ""
        codec = _CODECS.get(wanted.removeprefix("video/").removeprefix("audio/"), "")
        if f"{kind.media}/{codec}" not in self._room.codecs:
            codec = self._allowed(kind)[0]
        layers = request.layers or (request.simulcast_codecs[0].layers if request.simulcast_codecs else ())
        return Publication(
            sid=new_sid("TR_V" if kind is TrackKind.VIDEO else "TR_A"),
            cid=request.cid,
            kind=kind,
            source=source,
            owner=self._participant,
            name=request.name,
            mime_type=f"{kind.media}/{codec}",
            muted=request.muted,
            width=request.width,
            height=request.height,
            layers=tuple(wire.layer_from(layer) for layer in layers),
            simulcast=len(layers) > 1,
            stream=request.stream or _STREAMS.get(source, ""),
            disable_dtx=request.disable_dtx,
            disable_red=request.disable_red or bool(request.encryption),
            stereo=request.stereo,
            encryption=int(request.encryption),
            audio_features=tuple(int(f) for f in request.audio_features),
        )

    # -- negotiating

    def answer_section(self, section: Section, transport: write.TransportLines) -> list[str] | None:
        """Lines for a section the client may send in; None when nothing is published there (any more)."""
        existing = self._by_mid.get(section.mid)
        if not section.sends:
            if existing is not None:
                self._end(section.mid)
            return None
        publication = self._match(section, existing)
        if publication is None:
            return None
        choice = self._choose(section, publication)
        if choice is None:
            log.info("no_common_codec", room=self._room.name, track=publication.sid)
            return None
        if publication.media is None:
            self._start(section, publication, choice)
        self._note_ssrcs(section, publication)
        return write.receive(section, choice, transport)

    def _match(self, section: Section, existing: Publication | None) -> Publication | None:
        cid = section.track_id
        fresh = self._pending.get(cid)
        if fresh is None and existing is not None:
            return existing
        if fresh is None:
            # Some clients announce another id than the one in their msid.
            fresh = next((p for p in self._pending.values() if p.kind.media == section.kind), None)
        if fresh is None:
            return None
        del self._pending[fresh.cid]
        if existing is not None:
            self._end(section.mid)
        self._by_mid[section.mid] = fresh
        fresh.mid = section.mid
        return fresh

    def _allowed(self, kind: TrackKind) -> list[str]:
        """Encoding names that this room takes for a kind of media, the preferred one first."""
        return [name for mime in self._room.codecs for media, _, name in [mime.partition("/")] if media == kind.media]

    def _choose(self, section: Section, publication: Publication) -> codecs.Choice | None:
        media = publication.media
        current = media.codec if isinstance(media, Track) else publication.mime_type.partition("/")[2]
        names = [current, *self._allowed(publication.kind)]
        choice = next((c for n in names if (c := codecs.choose(section, n)) is not None), None)
        return replace(choice, red_pt=None) if choice is not None and publication.disable_red else choice

    def _start(self, section: Section, publication: Publication, choice: codecs.Choice) -> None:
        red = Redundancy(choice.red_pt, choice.pt) if choice.red_pt is not None else None
        publication.mime_type = f"{section.kind}/{choice.name if red is None else 'red'}"
        ids = write.upstream(section, choice)
        self._extension_ids[section.mid] = ids
        if write.TWCC in ids:
            self._peer.twcc_id = ids[write.TWCC]
        track = Track(
            self._peer,
            sid=publication.sid,
            kind=section.kind,
            codec=choice.name,
            cname=self._participant.sid,
            clock_rate=choice.codec.clock_rate,
            level_id=ids.get(write.AUDIO_LEVEL),
            rids=tuple(section.rids),
            red=red,
            descriptor_id=ids.get(write.DEPENDENCY),
        )
        track.set_muted(publication.muted)
        publication.media = track

    def _note_ssrcs(self, section: Section, publication: Publication) -> None:
        if section.rids or len(self._announced_ssrcs) >= _MAX_ANNOUNCED:
            return
        if section.fid is not None:
            self._announced_ssrcs[section.fid[0]] = (publication, False)
            self._announced_ssrcs[section.fid[1]] = (publication, True)
        elif section.ssrcs:
            self._announced_ssrcs[section.ssrcs[0]] = (publication, False)

    # -- packets

    def _recognise(self, packet: bytes, ssrc: int) -> PacketHandler | None:
        """First packet of an SSRC: find its track by what the SDP said, or by its header extensions."""
        announced = self._announced_ssrcs.get(ssrc)
        if announced is not None:
            publication, repair = announced
            return self._repair(publication, "") if repair else self._media(publication, ssrc, "")
        found = extensions(packet)
        for mid, publication in self._by_mid.items():
            ids = self._extension_ids.get(mid, {})
            if _text(found, ids.get(write.MID)) != mid:
                continue
            rid = _text(found, ids.get(write.RID))
            repaired = _text(found, ids.get(write.REPAIRED_RID))
            if repaired:
                return self._repair(publication, repaired)
            track = publication.media
            if isinstance(track, Track) and (rid in track.rids if track.rids else True):
                return self._media(publication, ssrc, rid)
        return None

    def _media(self, publication: Publication, ssrc: int, rid: str) -> PacketHandler | None:
        track = publication.media
        if not isinstance(track, Track):
            return None
        stream = track.bind(ssrc, rid)
        if not publication.live:
            asyncio.get_running_loop().call_soon(self._room.track_live, publication)
        return stream.on_rtp

    @staticmethod
    def _repair(publication: Publication, rid: str) -> PacketHandler | None:
        track = publication.media
        stream = track.layers.get(rid) if isinstance(track, Track) else None
        return stream.on_rtx if stream is not None else None

    # -- ending

    def _end(self, mid: str) -> None:
        publication = self._by_mid.pop(mid)
        self._room.unpublish(publication)
        self.stop(publication)

    def stop(self, publication: Publication) -> None:
        """Stop receiving; the room has been told."""
        self._pending.pop(publication.cid, None)
        for mid in [m for m, p in self._by_mid.items() if p is publication]:
            del self._by_mid[mid]
        for ssrc in [s for s, (p, _) in self._announced_ssrcs.items() if p is publication]:
            del self._announced_ssrcs[ssrc]
            self._peer.handlers.pop(ssrc, None)
        if isinstance(publication.media, Track):
            publication.media.close()

    def close(self) -> None:
        """The client is gone: stop receiving all of its tracks."""
        for publication in [*self._by_mid.values(), *self._pending.values()]:
            self.stop(publication)

    @property
    def tracks(self) -> list[Track]:
        return [p.media for p in self._by_mid.values() if isinstance(p.media, Track)]


def _text(found: dict[int, bytes], identifier: int | None) -> str:
    value = found.get(identifier) if identifier is not None else None
    return value.decode("ascii", "replace") if value else ""
