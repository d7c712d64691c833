"""Signalling of a light participant, v1 (one connection, it offers) and v0 (two, the server offers the second)."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import secrets
import struct
from collections import Counter
from typing import Any

import aiohttp
from livekit.protocol import models as pb
from livekit.protocol import rtc as sig

from meet.media.sdp.parse import Section, parse
from meet.recorder.subscriber import answer as recorder_answer
from meet.recorder.subscriber.ice import parse_candidate
from tests.support.light.transport import LightTransport, certificate

_AUDIO = ["a=rtpmap:111 opus/48000/2", "a=rtcp-fb:111 transport-cc"]
_VIDEO = [
    *("a=rtpmap:96 VP8/90000", "a=rtpmap:97 rtx/90000", "a=fmtp:97 apt=96"),
    *("a=rtcp-fb:96 nack", "a=rtcp-fb:96 nack pli", "a=rtcp-fb:96 goog-remb", "a=rtcp-fb:96 transport-cc"),
]
_TWCC = "a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"


class LightParticipant:
    """`join`, perhaps `publish` and `send_frame`, `leave`. url: http://host:port of the media server.

    rtc_port 0: the one that the server names. subscribe: receive what the others publish. `received` counts RTP packets
    by the sid of their track.
    """

    def __init__(
        self, identity: str, url: str, rtc_port: int = 0, *, single_pc: bool = True, subscribe: bool = True
    ) -> None:
        self.identity = identity
        self.single_pc = single_pc
        self.joined = asyncio.Event()
        self.ended = asyncio.Event()
        self.others: dict[str, pb.ParticipantInfo] = {}
        self.ssrcs: dict[int, str] = {}
        self.audio_ssrc, self.video_ssrc = secrets.randbits(31) | 1, secrets.randbits(31) | 1
        self._url, self._port, self._subscribe = url, rtc_port, subscribe
        self._publish = False
        self._media_wanted = True
        self.remote = ("", "")
        self._published = asyncio.Event()
        self._receiving: list[str] = []
        self._offer_id = 0
        self._numbers: Counter[int] = Counter()
        self.publisher = LightTransport()
        self.subscriber = self.publisher if single_pc else LightTransport()
        self._http = aiohttp.ClientSession()
        self._socket: aiohttp.ClientWebSocketResponse
        self._reader: asyncio.Task[None] | None = None

    # -- joining and leaving

    async def join(self, token: str, *, media: bool = True) -> None:
        """Connect and wait for the media transport; without media, no datagram is ever sent."""
        self._media_wanted = media
        headers = {"Authorization": f"Bearer {token}"}
        if self.single_pc:
            self._offer_id = 1
            request = sig.JoinRequest(connection_settings=sig.ConnectionSettings(auto_subscribe=self._subscribe))
            request.publisher_offer.CopyFrom(sig.SessionDescription(type="offer", sdp=self._sdp(), id=1))
            outer = sig.WrappedJoinRequest(join_request=request.SerializeToString())
            query = {"join_request": base64.urlsafe_b64encode(outer.SerializeToString()).decode()}
            self._socket = await self._http.ws_connect(f"{self._url}/rtc/v1", params=query, headers=headers)
        else:
            self._socket = await self._http.ws_connect(
                f"{self._url}/rtc", params={"auto_subscribe": int(self._subscribe)}, headers=headers
            )
        self._reader = asyncio.create_task(self._read())
        async with asyncio.timeout(60):
            await self.joined.wait()
            if media:
                await self.subscriber.up.wait()

    async def publish(self) -> None:
        """Announce a microphone and a camera and have them answered."""
        self._publish = True
        await self.send(add_track=sig.AddTrackRequest(cid="mic", type=pb.AUDIO, source=pb.MICROPHONE))
        await self.send(add_track=sig.AddTrackRequest(cid="cam", type=pb.VIDEO, source=pb.CAMERA, width=64, height=36))
        self._published.clear()
        await self._offer()
        async with asyncio.timeout(60):
            await self._published.wait()
            await self.publisher.up.wait()

    async def unpublish(self) -> None:
        """Stop sending, and restart ICE in the same offer."""
        self._publish = False
        self.publisher.restart()
        await self._offer()

    async def leave(self, *, politely: bool = True) -> None:
        if not self._socket.closed:
            with contextlib.suppress(ConnectionError, aiohttp.ClientError):
                if politely:
                    await self.send(leave=sig.LeaveRequest())
                await self._socket.close()
        if self._reader is not None:
            await self._reader
        for transport in {self.publisher, self.subscriber}:
            await transport.close()
        await self._http.close()

    # -- media

    def send_frame(self) -> None:
        """One picture of one packet, a key frame where one was asked for, and 20 ms of sound."""
        number = self._numbers[self.video_ssrc]
        key, self.publisher.key_wanted = self.publisher.key_wanted, False
        picture = 0x8000 | number & 0x7FFF
        body = struct.pack("!BBH", 0x90, 0x80, picture) + bytes([0 if key else 1]) + bytes(100)
        self.send_rtp(self.video_ssrc, 96 | 0x80, number * 3000, body)
        self.send_rtp(self.audio_ssrc, 111, self._numbers[self.audio_ssrc] * 960, bytes(80))

    def send_rtp(self, ssrc: int, kind: int, timestamp: int, body: bytes) -> None:
        number = self._numbers[ssrc] = self._numbers[ssrc] + 1
        head = struct.pack("!BBHII", 0x80, kind, number & 0xFFFF, timestamp & 0xFFFFFFFF, ssrc)
        self.publisher.send_rtp(head + body)

    @property
    def received(self) -> Counter[str]:
        found: Counter[str] = Counter()
        for ssrc, count in self.subscriber.packets.items():
            found[self.ssrcs.get(ssrc, "")] += count
        return found

    # -- signalling

    async def send(self, **message: Any) -> None:
        await self._socket.send_bytes(sig.SignalRequest(**message).SerializeToString())

    async def _read(self) -> None:
        async for message in self._socket:
            if message.type is aiohttp.WSMsgType.BINARY:
                await self._on(sig.SignalResponse.FromString(message.data))
        self.ended.set()

    async def _on(self, message: sig.SignalResponse) -> None:
        kind = message.WhichOneof("message")
        if kind == "join":
            self.joined.set()
            self._update(message.join.other_participants)
        elif kind == "update":
            self._update(message.update.participants)
        elif kind == "answer":
            self._answered(message.answer)
        elif kind == "offer":
            await self._answer(message.offer)
        elif kind == "media_sections_requirement":
            needs = message.media_sections_requirement
            self._receiving += ["audio"] * needs.num_audios + ["video"] * needs.num_videos
            await self._offer()

    def _update(self, infos: Any) -> None:
        for info in infos:
            if info.state == pb.ParticipantInfo.DISCONNECTED:
                self.others.pop(info.identity, None)
            elif info.identity != self.identity:
                self.others[info.identity] = info

    async def _offer(self) -> None:
        self._offer_id += 1
        await self.send(offer=sig.SessionDescription(type="offer", sdp=self._sdp(), id=self._offer_id))

    def _answered(self, answer: sig.SessionDescription) -> None:
        sections = parse(answer.sdp)
        self.remote = (sections[0].ufrag, sections[0].pwd)
        if self._media_wanted:
            self.publisher.start(sections[0], self._port or _port(answer.sdp))
        if self.single_pc:
            self._note(sections, dict(answer.mid_to_track_id))
        if answer.id == self._offer_id and self._publish:
            self._published.set()

    async def _answer(self, offer: sig.SessionDescription) -> None:
        """v0: take what the server wants to send."""
        sections = parse(offer.sdp)
        transport = self.subscriber
        sdp = recorder_answer.write(
            sections, ufrag=transport.ufrag, pwd=transport.pwd, fingerprint=certificate().fingerprint, version=offer.id
        )
        await self.send(answer=sig.SessionDescription(type="answer", sdp=sdp, id=offer.id))
        if self._media_wanted:
            transport.start(sections[0], self._port or _port(offer.sdp))
        self._note(sections, dict(offer.mid_to_track_id))

    def _note(self, sections: list[Section], tracks: dict[str, str]) -> None:
        for section in sections:
            if section.mid in tracks and section.ssrcs:
                self.ssrcs[section.ssrcs[0]] = tracks[section.mid]

    def _sdp(self) -> str:
        """Data channels, the published tracks (inactive before), as many receiving sections as were asked for."""
        bodies = [["m=application 9 UDP/DTLS/SCTP webrtc-datachannel", *self.publisher.lines, "a=sctp-port:5000"]]
        for kind, cid, ssrc in (("audio", "mic", self.audio_ssrc), ("video", "cam", self.video_ssrc)):
            own = ["a=sendonly", f"a=msid:- {cid}", f"a=ssrc:{ssrc} cname:x"] if self._publish else ["a=inactive"]
            bodies.append(self._media(kind) + own)
        if self.single_pc:
            bodies += [[*self._media(kind), "a=recvonly"] for kind in self._receiving]
        lines = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0"]
        for mid, body in enumerate(bodies):
            lines += [body[0], f"a=mid:{mid}", *body[1:]]
        return "\r\n".join(lines) + "\r\n"

    def _media(self, kind: str) -> list[str]:
        formats, codecs = ("111", _AUDIO) if kind == "audio" else ("96 97", _VIDEO)
        return [f"m={kind} 9 UDP/TLS/RTP/SAVPF {formats}", *self.publisher.lines, "a=setup:actpass", _TWCC, *codecs]


def _port(sdp: str) -> int:
    """Of the first UDP candidate."""
    found = (parse_candidate(line) for line in sdp.splitlines() if line.startswith("a=candidate:"))
    return next(candidate.port for candidate in found if candidate is not None)
