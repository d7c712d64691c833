"""What a live meeting adds in front of the journal: SRTP, reordering, frames out of packets."""

from __future__ import annotations

from collections.abc import Callable

import pylibsrtp

from meet.recorder.journal.records import Frame, Record
from meet.recorder.subscriber.stream import RtpStream

_PAYLOAD = 1150
_PROFILE = pylibsrtp.Policy.SRTP_PROFILE_AEAD_AES_128_GCM


def _session(key: bytes, kind: int) -> pylibsrtp.Session:
    return pylibsrtp.Session(pylibsrtp.Policy(key=key, ssrc_type=kind, srtp_profile=_PROFILE))


def _packets(records: list[Record]) -> list[bytes]:
    """The frames as RTP packets (RFC 3550, RFC 7741), encrypted."""
    sender = _session(bytes(range(28)), pylibsrtp.Policy.SSRC_ANY_OUTBOUND)
    numbers: dict[int, int] = {}
    packets = []
    for record in records:
        if not isinstance(record, Frame):
            continue
        video = record.track % 2
        payloads = [record.payload]
        if video:
            parts = [record.payload[at : at + _PAYLOAD] for at in range(0, len(record.payload), _PAYLOAD)]
            payloads = [bytes([0x10 if k == 0 else 0]) + part for k, part in enumerate(parts)]
        for k, payload in enumerate(payloads):
            number = numbers[record.track] = numbers.get(record.track, 0) + 1
            head = bytes([0x80, (0x80 if k == len(payloads) - 1 else 0) | 96]) + number.to_bytes(2, "big")
            head += (record.rtp & 0xFFFFFFFF).to_bytes(4, "big") + record.track.to_bytes(4, "big")
            packets.append(sender.protect(head + payload))
    return packets


def receive(records: list[Record]) -> Callable[[], None]:
    """Decrypt, put in order and assemble every packet of the meeting."""
    packets = _packets(records)
    tracks = {record.track for record in records if isinstance(record, Frame)}

    def work() -> None:
        receiver = _session(bytes(range(28)), pylibsrtp.Policy.SSRC_ANY_INBOUND)
        frames = 0

        def on_frame(*_: object) -> None:
            nonlocal frames
            frames += 1

        streams = {
            track: RtpStream(
                track,
                "video" if track % 2 else "audio",
                *(("vp8", 90_000) if track % 2 else ("opus", 48_000)),
                on_frame,
            )
            for track in tracks
        }
        for number, packet in enumerate(packets):
            plain = receiver.unprotect(packet)
            streams[int.from_bytes(plain[8:12], "big")].receive(plain, number * 1e-3)
        if frames != sum(isinstance(record, Frame) for record in records):
            raise RuntimeError(f"only {frames} frames came out")

    return work
