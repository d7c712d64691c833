"""Start a server, let two robots meet, record them, fetch the file and say what is in it."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import av
import click

from meet.demo.api import Api
from meet.demo.server import Server, ServerFailed


@dataclass(frozen=True)
class Media:
    """What a recording file holds."""

    duration_s: float
    width: int
    height: int
    fps: float
    codecs: str
    size: int


def probe(path: Path) -> Media:
    """Open `path` with FFmpeg's libraries and read its header."""
    with av.open(str(path)) as container:
        video = container.streams.video[0]
        codecs = " + ".join(stream.codec_context.name for stream in container.streams if stream.codec_context)
        return Media(
            duration_s=(container.duration or 0) / 1_000_000,
            width=video.codec_context.width,
            height=video.codec_context.height,
            fps=float(video.average_rate or 0),
            codecs=codecs,
            size=path.stat().st_size,
        )


async def _wait_with_progress(label: str, seconds: float) -> None:
    with click.progressbar(length=int(seconds * 10), label=label, show_eta=False) as bar:
        started = time.monotonic()
        while (elapsed := time.monotonic() - started) < seconds:
            await asyncio.sleep(0.1)
            bar.update(int(elapsed * 10) - bar.pos)
        bar.update(int(seconds * 10) - bar.pos)


async def _demo(seconds: int, output: Path, data_dir: Path) -> Path:
    from meet.demo.robot import Robot

    click.echo("starting a server ...")
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(Server(data_dir))
        api = await stack.enter_async_context(Api(server.url, server.api_key))
        room = await api.create_room("Demo")
        click.echo(f"room {room['roomId']} at {server.url}/")
        epoch = time.monotonic()
        for name, hue, tone in (("Ada", 90, 220.0), ("Grace", 160, 330.0)):
            url, token = await api.join_token(room, name)
            await stack.enter_async_context(Robot(url, token, hue=hue, tone_hz=tone, epoch=epoch))
            click.echo(f"{name} joined, camera and microphone on")
        recording = await api.start_recording(room["roomId"])
        recording_id = recording["recordingId"]
        await _wait_with_progress(f"recording {recording_id}", seconds)
        await api.stop_recording(recording_id)
        click.echo("stopped; waiting for the file ...")
        recording = await api.wait_for(recording_id, "complete", "failed", "aborted", timeout_s=120)
        if recording["status"] != "complete":
            raise ServerFailed(f"the recording ended as {recording['status']}: {recording.get('error')}")
        path: Path = output / str(recording["filename"])
        with click.progressbar(length=recording["size"], label="downloading", show_eta=False) as bar:
            await api.download(recording_id, path, lambda done, _total: bar.update(done - bar.pos))
    return path


def run(*, seconds: int, output: Path, keep_data: bool) -> int:
    """The demo from start to end; 0 when a playable file was made."""
    output.mkdir(parents=True, exist_ok=True)
    data_dir = Path(tempfile.mkdtemp(prefix="server-", dir=output))
    try:
        path = asyncio.run(_demo(seconds, output, data_dir))
    except ServerFailed as error:
        click.echo(f"meet: {error} (log: {data_dir / 'server.log'})", err=True)
        return 1
    media = probe(path)
    click.echo(
        f"\n{path}\n"
        f"  {media.duration_s:.1f} s, {media.width}x{media.height} at {media.fps:g} fps, {media.codecs}, "
        f"{media.size / 1e6:.1f} MB"
    )
    if not keep_data:
        shutil.rmtree(data_dir, ignore_errors=True)
    return 0
