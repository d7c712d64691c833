"""The ffmpeg command line doing the same: four files in, a 2x2 grid and the mixed sound out."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from meet.recorder.composer import aac as aac_encoder
from meet.recorder.composer.encoder import video_options
from meet.recorder.composer.profile import Profile
from meet.recorder.journal.records import Record
from meet.recorder.tracks.export import export


def x264(profile: Profile) -> list[str]:
    """Our encoder settings as ffmpeg arguments."""
    options = video_options(profile)
    private = [
        item for name in ("preset", "profile", "crf", "maxrate", "bufsize") for item in (f"-{name}:v", options[name])
    ]
    return ["-threads", "1", "-pix_fmt", "yuv420p", "-c:v", "libx264", *private, "-bf", "0", "-g", options["g"]]


def aac() -> list[str]:
    """The same for the sound."""
    private = [item for name, value in aac_encoder.OPTIONS.items() for item in (f"-{name}", value)]
    return ["-c:a", "aac", *private, "-b:a", "128k", "-ac", "2"]


def ffmpeg(records: list[Record], profile: Profile, folder: Path) -> Callable[[], float] | None:
    """CPU seconds of one run, start of the process included; None when there is no ffmpeg."""
    program = shutil.which("ffmpeg")
    if program is None:
        return None
    folder.mkdir()
    files = {(t["identity"], t["kind"]): folder / t["file"] for t in export(records, folder)["tracks"]}
    people = sorted({identity for identity, _ in files})
    inputs: list[str] = []
    for kind in ("video", "audio"):
        for identity in people:
            inputs += ["-threads", "1", "-i", str(files[identity, kind])]
    width, height = profile.width // 2, profile.height // 2
    count = len(people)
    scaled = ";".join(f"[{k}:v]fps={profile.fps},scale={width}:{height}[v{k}]" for k in range(count))
    places = "|".join(f"{k % 2 * width}_{k // 2 * height}" for k in range(count))
    graph = (
        f"{scaled};{''.join(f'[v{k}]' for k in range(count))}xstack=inputs={count}:layout={places}[v];"
        f"{''.join(f'[{count + k}:a]' for k in range(count))}amix=inputs={count}:normalize=0[a]"
    )
    command = [
        *(program, "-v", "error", "-y", "-filter_complex_threads", "1", *inputs),
        *("-filter_complex", graph, "-map", "[v]", "-map", "[a]", *x264(profile)),
        *(*aac(), str(folder / "out.mp4")),
    ]

    def work() -> float:
        before = os.times()
        subprocess.run(command, check=True)
        after = os.times()
        return after.children_user + after.children_system - before.children_user - before.children_system

    return work


def kbps(path: Path) -> float:
    """Bit rate of a file's picture; raises CalledProcessError for what is none."""
    found = subprocess.run(
        [
            "ffprobe",
            "-v",
            "error",
            "-select_streams",
            "v",
            "-show_entries",
            "stream=bit_rate",
            "-of",
            "json",
            str(path),
        ],
        check=True,
        capture_output=True,
    )
    return float(json.loads(found.stdout)["streams"][0]["bit_rate"]) / 1000
