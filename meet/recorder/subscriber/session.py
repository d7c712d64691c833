"""One stay in a room: join, receive every track, leave."""

from __future__ import annotations

import asyncio
import contextlib
import json
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final, Protocol

import structlog
from livekit.protocol import models
from livekit.protocol import rtc as pb

from meet.media.sdp import parse as sdp
from meet.recorder.subscriber import answer
from meet.recorder.subscriber.depacketize import EncodedFrame
from meet.recorder.subscriber.ice import parse_candidate
from meet.recorder.subscriber.selection import Selection
from meet.recorder.subscriber.signalling import RoomGone, ServerUnreachable, Signalling
from meet.recorder.subscriber.stream import RtpStream
from meet.recorder.subscriber.transport import SubscriberTransport

log = structlog.get_logger(__name__)

_SOURCES: Final = {1: "camera", 2: "microphone", 3: "screen_share", 4: "screen_share_audio"}
_JOIN_S: Final = 8.0
_HIDDEN: Final = (320, 180)
_HIDDEN_BYTES: Final = 512 << 10
"""After so many without a key frame a track that nobody sees is asked for one: who comes into the picture, also into
that of a later composition, is decoded from there."""


class Ending(Enum):
    """Why a stay ended."""

    MEETING_OVER = "meeting over"
    LOST = "connection lost"
    STOPPED = "stopped"


@dataclass(eq=False)
class Subscribed:
    """A track while it is being received; `number` is its number in the journal."""

    number: int
    sid: str
    stream: RtpStream
    muted: bool = False
    hidden: bool = False
    _since_key: int = 0

    def received(self, frame: EncodedFrame) -> None:
        """Count what was sent since the last key frame."""
        self._since_key = 0 if frame.key else self._since_key + len(frame.payload)
        if self.hidden and self._since_key > _HIDDEN_BYTES:
            self._since_key, self.stream.wants_key = 0, True


class Sink(Protocol):
    """Where everything received goes."""

    def track_started(
        self, *, sid: str, media: str, codec: str, clock_rate: int, identity: str, name: str, source: str, muted: bool
    ) -> int: ...

    def track_ended(self, number: int) -> None: ...

    def track_muted(self, number: int, muted: bool) -> None: ...

    def frame(self, number: int, rtp: int, frame: EncodedFrame, gap: bool, arrival: float) -> None: ...

    def sender_report(self, number: int, ntp: int, rtp: int) -> None: ...

    def speakers(self, identities: list[str]) -> None: ...

    def joined(self, others: int) -> None: ...

    def people(self, names: dict[str, str]) -> None: ...

    def begin(self) -> None: ...


@dataclass
class _Room:
    """What the server has told of participants and tracks."""

    participants: dict[str, models.ParticipantInfo] = field(default_factory=dict)
    speaking: dict[str, float] = field(default_factory=dict)

    def update(self, infos: list[models.ParticipantInfo]) -> None:
        for info in infos:
            if info.state == models.ParticipantInfo.State.DISCONNECTED:
                self.participants.pop(info.sid, None)
                self.speaking.pop(info.sid, None)
            else:
                self.participants[info.sid] = info

    def people(self, selection: Selection | None) -> dict[str, str]:
        """Names by identity of everybody who may be seen, in the order in which they came."""
        came = sorted(self.participants.values(), key=lambda info: info.joined_at)
        return {
            info.identity: info.name
            for info in came
            if info.permission.can_publish
            and info.kind != models.ParticipantInfo.Kind.EGRESS
            and (selection is None or selection.shows(info))
        }

    def films(self, selection: Selection | None) -> bool:
        """Somebody who may be seen sends a picture that is wanted."""
        return any(
            track.type == models.TrackType.VIDEO and not track.muted
            for info in self.participants.values()
            for track in info.tracks
            if selection is None or (selection.shows(info) and selection.wants(info, track))
        )

    def find(self, track_sid: str) -> tuple[models.ParticipantInfo, models.TrackInfo] | None:
        for participant in self.participants.values():
            for track in participant.tracks:
                if track.sid == track_sid:
                    return participant, track
        return None


class RoomSession:
    """Runs until the meeting is over, the connection is lost or `stop` is called."""

    def __init__(self, signalling: Signalling, sink: Sink, *, tile: tuple[int, int]) -> None:
        self._signalling = signalling
        self._sink = sink
        self._tile = tile
        self._room = _Room()
        self._tracks: dict[str, Subscribed] = {}
        self._wanted: dict[str, tuple[int, int]] = {}
        self._requested: set[str] = set()
        self._selected_seen = False
        self._absent: asyncio.TimerHandle | None = None
        self._asking: set[asyncio.Task[None]] = set()
        self._ended: asyncio.Future[Ending] = asyncio.get_running_loop().create_future()
        self._transport = SubscriberTransport(self._sender_report, lambda: self._end(Ending.LOST))
        self._version = 1
        self.joined = False
        """The server has let us in; before that an end is no end of anything."""

    def stop(self) -> None:
        """Leave the room."""
        self._end(Ending.STOPPED)

    def want_sizes(self, sizes: dict[str, tuple[int, int]]) -> None:
        """Ask for the simulcast layers that fit these sizes, where they changed. (0, 0): not shown at all; who is shown
        again is asked for a key frame, too, because nothing else may bring one."""
        for sid, size in sizes.items():
            track, before = self._tracks.get(sid), self._wanted.get(sid)
            if track is not None and track.stream.media == "video" and before != size:
                self._wanted[sid], track.hidden = size, not all(size)
                track.stream.wants_key |= before is not None and not all(before)
                task = asyncio.create_task(self._signalling.want_size(sid, *self._layer(sid)))
                self._asking.add(task)
                task.add_done_callback(self._asking.discard)

    def _layer(self, sid: str) -> tuple[int, int]:
        """The size to ask for."""
        size = self._wanted.get(sid, self._tile)
        return size if all(size) else _HIDDEN

    def want_keys(self) -> None:
        """Ask for a key frame of every picture."""
        for track in self._tracks.values():
            track.stream.wants_key = track.stream.media == "video"

    def _end(self, why: Ending) -> None:
        if not self._ended.done():
            self._ended.set_result(why)

    async def run(self) -> Ending:
        """Join and stay. Raises RoomGone or ServerUnreachable when the server does not let us in."""
        reading = asyncio.create_task(self._read())
        try:
            waiting: set[asyncio.Future[Any]] = {self._ended, reading}
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            if reading.done() and not self._ended.done():
                reading.result()
                self._end(Ending.LOST)
            return self._ended.result()
        finally:
            if self._absent is not None:
                self._absent.cancel()
            reading.cancel()
            with contextlib.suppress(asyncio.CancelledError, RoomGone, ServerUnreachable):
                await reading
            # The tiles stay as they are: the next session, if any, replaces them; a file ends with its people in it.
            await self._transport.close()

    async def _read(self) -> None:
        messages = self._signalling.messages()
        async with asyncio.timeout(_JOIN_S) as joining:
            try:
                async for message in messages:
                    joining.reschedule(None)
                    await self._handle(message)
            except TimeoutError as error:
                raise ServerUnreachable("no answer to the join") from error
        if not self.joined:
            raise ServerUnreachable("the connection was closed before the answer to the join")

    async def _handle(self, message: pb.SignalResponse) -> None:
        match message.WhichOneof("message"):
            case "join":
                self.joined = True
                self._room.update(list(message.join.other_participants))
                self._signalling.keep_alive(float(message.join.ping_interval))
                self._sink.joined(len(self._room.participants))
                await self._select()
                self._sink.people(self._room.people(self._signalling.selection))
                if not self._room.films(self._signalling.selection):
                    self._sink.begin()  # there is no key frame to wait for
            case "update":
                self._room.update(list(message.update.participants))
                self._apply_mutes()
                await self._select()
                self._sink.people(self._room.people(self._signalling.selection))
            case "offer":
                await self._offer(message.offer)
            case "trickle":
                self._trickle(message.trickle)
            case "speakers_changed":
                self._speakers(message.speakers_changed)
            case "leave":
                self._leave(message.leave)
            case _:
                pass  # the rest concerns publishers

    async def _select(self) -> None:
        """With a selection: ask for its tracks as they appear, and end when nobody has any (more)."""
        selection = self._signalling.selection
        if selection is None:
            return
        chosen = [p for p in self._room.participants.values() if selection.is_about(p)]
        if self._selected_seen and not chosen and not selection.lasts:
            self._end(Ending.MEETING_OVER)
            return
        self._selected_seen = self._selected_seen or bool(chosen)
        if not self._selected_seen and self._absent is None and selection.patience_s is not None:
            self._absent = asyncio.get_running_loop().call_later(selection.patience_s, self._never_came)
        fresh = [t.sid for p in chosen for t in p.tracks if selection.wants(p, t) and t.sid not in self._requested]
        if fresh:
            self._requested.update(fresh)
            await self._signalling.subscribe(fresh)

    def _never_came(self) -> None:
        if not self._selected_seen:
            self._end(Ending.MEETING_OVER)

    def _leave(self, leave: pb.LeaveRequest) -> None:
        reason = models.DisconnectReason.Name(leave.reason)
        log.info("recorder_left", reason=reason)
        over = reason in ("ROOM_DELETED", "ROOM_CLOSED", "PARTICIPANT_REMOVED")
        self._end(Ending.MEETING_OVER if over else Ending.LOST)

    def _trickle(self, trickle: pb.TrickleRequest) -> None:
        if trickle.target != pb.SignalTarget.SUBSCRIBER:
            return
        try:
            candidate = parse_candidate(json.loads(trickle.candidateInit).get("candidate") or "")
        except ValueError:
            return
        if candidate is not None:
            self._transport.ice.add(candidate)

    def _speakers(self, changed: pb.SpeakersChanged) -> None:
        for speaker in changed.speakers:
            if speaker.active:
                self._room.speaking[speaker.sid] = speaker.level
            else:
                self._room.speaking.pop(speaker.sid, None)
        loudest = sorted(self._room.speaking, key=lambda sid: -self._room.speaking[sid])
        known = self._room.participants
        self._sink.speakers([known[sid].identity for sid in loudest if sid in known])

    async def _offer(self, offer: pb.SessionDescription) -> None:
        sections = sdp.parse(offer.sdp)
        first = sections[0]
        candidates = [parse_candidate(line) for line in offer.sdp.splitlines() if line.startswith("a=candidate:")]
        self._transport.ice.set_remote(first.ufrag, first.pwd, [c for c in candidates if c is not None])
        self._receive(sections, dict(offer.mid_to_track_id))
        self._version += 1
        text = answer.write(
            sections,
            ufrag=self._transport.ice.ufrag,
            pwd=self._transport.ice.pwd,
            fingerprint=self._transport.certificate.fingerprint,
            version=self._version,
        )
        await self._signalling.answer(text, offer.id)
        if first.fingerprint is not None:
            channels = any(section.kind == "application" for section in sections)
            self._transport.start(first.fingerprint, data_channels=channels)
        for track in self._tracks.values():
            if track.stream.media == "video":
                await self._signalling.want_size(track.sid, *self._layer(track.sid))

    def _receive(self, sections: list[sdp.Section], sids: dict[str, str]) -> None:
        offered: dict[str, tuple[sdp.Section, int]] = {}
        for section in sections:
            sid = sids.get(section.mid) or section.track_id
            if section.kind != "application" and section.sends and sid and section.ssrcs:
                offered[sid] = (section, section.fid[0] if section.fid else section.ssrcs[0])
        for sid, track in list(self._tracks.items()):
            if sid not in offered or offered[sid][1] != track.stream.ssrc:
                self._drop(sid)
        for sid, (section, ssrc) in offered.items():
            if sid not in self._tracks:
                self._add(sid, section, ssrc)

    def _add(self, sid: str, section: sdp.Section, ssrc: int) -> None:
        choice = answer.choose(section)
        known = self._room.find(sid)
        if choice is None:
            log.warning("track_codec_not_recordable", track=sid, formats=section.formats)
            return
        if known is None:
            log.warning("track_of_nobody", track=sid)
            return
        participant, info = known
        source = _SOURCES.get(info.source, "camera" if section.kind == "video" else "microphone")
        selection = self._signalling.selection
        number = self._sink.track_started(
            sid=sid,
            media=section.kind,
            codec=choice.codec.lower(),
            clock_rate=choice.clock_rate,
            identity=participant.identity,
            name=participant.name,
            source=source if selection is None else selection.source(participant, info, source),
            muted=info.muted,
        )
        sink = self._sink

        def on_frame(rtp: int, frame: EncodedFrame, gap: bool, arrival: float) -> None:
            sink.frame(number, rtp, frame, gap, arrival)
            track.received(frame)

        stream = RtpStream(ssrc, section.kind, choice.codec, choice.clock_rate, on_frame)
        self._tracks[sid] = track = Subscribed(number, sid, stream, info.muted)
        self._transport.streams[ssrc] = stream
        if section.fid is not None:
            self._transport.repairs[section.fid[1]] = ssrc

    def _drop(self, sid: str) -> None:
        track = self._tracks.pop(sid)
        self._transport.streams.pop(track.stream.ssrc, None)
        self._sink.track_ended(track.number)

    def _apply_mutes(self) -> None:
        for track in self._tracks.values():
            known = self._room.find(track.sid)
            if known is not None and known[1].muted != track.muted:
                track.muted = known[1].muted
                self._sink.track_muted(track.number, track.muted)

    def _sender_report(self, stream: RtpStream, ntp: int, rtp: int) -> None:
        for track in self._tracks.values():
            if track.stream is stream:
                self._sink.sender_report(track.number, ntp, rtp)
