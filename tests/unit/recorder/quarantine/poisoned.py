"""`python -m tests.unit.recorder.quarantine.poisoned <data dir> <egress id>...`: codecs that die of marked input.

Imports everything once, then does for one recording after the other what the supervisor does: starts a process (here a
fork) and starts another one until one ends with 0. A recorder that would fall silent, for the supervisor to kill it,
kills itself. Writes one line of JSON per recording: how each of its processes ended, by `os.waitstatus_to_exitcode`.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import time
from pathlib import Path
from typing import Any, Final

import av

from meet import logging
from meet.config import Settings
from meet.recorder import composing, main
from meet.recorder.composer import video
from meet.recorder.composer.opus import OpusDecoder, Samples
from meet.recorder.composer.output import Output
from meet.recorder.quarantine import ledger

CRASH: Final = b"poison: crash"
HANG: Final = b"poison: hang"
DEADLY_CODER: Final = "deadly-coder"
"""Recordings whose egress id ends so die of their encoder."""

_LIVES: Final = 20


def _strike(payload: bytes) -> None:
    if payload.endswith(CRASH):
        os.abort()
    if payload.endswith(HANG):
        vars(composing)["STUCK_S"] = 0.2  # only now: on a busy machine any step may take as long
    while payload.endswith(HANG):
        time.sleep(60)


class _Decoder:
    """A video decoder with a flaw."""

    def __init__(self, codec: str) -> None:
        self._real = _decoder(codec)

    def decode(self, packet: Any) -> list[av.VideoFrame]:
        _strike(bytes(packet))
        return self._real.decode(packet)


_decoder = video._decoder
_run = OpusDecoder._run
_picture = Output.video
_stuck = main.Recorder.stuck


def _flawed_opus(self: OpusDecoder, payload: bytes | None, length: int, *, fec: bool) -> Samples:
    _strike(payload or b"")
    return _run(self, payload, length, fec=fec)


def _flawed_coder(self: Output, picture: av.VideoFrame, number: int) -> None:
    if number == 12:
        os.abort()
    _picture(self, picture, number)


def _kill_when_stuck(self: main.Recorder) -> bool:
    if _stuck(self):
        os.kill(os.getpid(), signal.SIGKILL)
    return False


def _prepare(egress_id: str) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    vars(video)["_decoder"] = _Decoder
    setattr(OpusDecoder, "_run", _flawed_opus)  # noqa: B010
    setattr(main.Recorder, "stuck", _kill_when_stuck)  # noqa: B010
    if egress_id.endswith(DEADLY_CODER):
        setattr(Output, "video", _flawed_coder)  # noqa: B010
    for module, name, value in (
        (main, "_BEAT_S", 0.05),
        (main, "_LINGER_S", 0.0),  # there is nobody to be told
        (ledger, "_MAX_PAUSE_S", 0.05),
        (ledger, "_HOPELESS", 6),
    ):
        vars(module)[name] = value


def _live(settings: Settings, egress_id: str) -> int:
    """One process."""
    pid = os.fork()
    if not pid:
        code = 1
        try:
            _prepare(egress_id)
            code = main.run(settings, egress_id)
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _supervise(data_dir: Path, egress_ids: list[str]) -> None:
    settings = Settings.load(data_dir=data_dir)
    logging.configure("warning", "json", process="recorder")
    for egress_id in egress_ids:
        ends: list[int] = []
        while (not ends or ends[-1]) and len(ends) < _LIVES:
            ends.append(_live(settings, egress_id))
        sys.stdout.write(json.dumps({"egress_id": egress_id, "ends": ends}) + "\n")


if __name__ == "__main__":
    _supervise(Path(sys.argv[1]), sys.argv[2:])
