"""A recording of hours, made of a short one as the recorder joins its pieces: without encoding anything again."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av

from meet.recorder.composer.compose import compose
from meet.recorder.composer.output import create
from meet.recorder.composer.profile import PRESETS
from tests.unit.recorder import synthetic
from tests.unit.recorder.synthetic import Source, meeting

PROFILE = PRESETS["H264_720P_30"]
_PIECE_S = 32
"""A whole number of pictures and of AAC frames (1500 of 1024 samples at 48 kHz)."""


def make(folder: Path, hours: float) -> Path:
    """An ordinary recording of 720p, 30 fps and AAC in `folder`."""
    piece = _piece(folder / "piece.mp4")
    path = folder / "hours.mp4"
    left = {"video": int(_PIECE_S * PROFILE.fps), "audio": _PIECE_S * PROFILE.audio_rate // 1024}
    packets = []
    with av.open(str(piece)) as container:
        for packet in container.demux(video=0, audio=0):
            if packet.pts is not None and left[packet.stream.type]:
                left[packet.stream.type] -= 1
                packets.append((packet.stream.type, bytes(packet), packet.is_keyframe))
        with create(path, PROFILE) as output:
            streams: dict[str, av.stream.Stream] = {
                stream.type: output.add_stream_from_template(stream, opaque=True)
                for stream in (container.streams.video[0], container.streams.audio[0])
            }
            steps = {"video": (1 / PROFILE.fps, 1), "audio": (Fraction(1, PROFILE.audio_rate), 1024)}
            counts = {"video": 0, "audio": 0}
            for _ in range(round(hours * 3600 / _PIECE_S)):
                for kind, payload, key in packets:
                    time_base, duration = steps[kind]
                    packet = av.Packet(payload)
                    packet.stream, packet.time_base, packet.is_keyframe = streams[kind], time_base, key
                    packet.pts = packet.dts = counts[kind] * duration
                    packet.duration = duration
                    counts[kind] += 1
                    output.mux(packet)
    return path


def _piece(path: Path) -> Path:
    people = [
        Source(synthetic.video("VP8", _PIECE_S, 640, 360), identity="ada"),
        Source(synthetic.sound(_PIECE_S), media="audio", codec="opus", identity="ada"),
    ]
    compose(meeting(people, _PIECE_S), path, PROFILE, "single-speaker")
    return path
