"""`python -m bench.storage.behind [--seconds 60] [--mbits 12] [--uplink 20]`: from stop to stored, over a slow line.

A file grows as a recording does, then it is finished and stored: once everything at the end, once behind the growing
file. Printed beside it: how long the event loop, on which a recorder receives its media, was busy at most.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from fractions import Fraction
from pathlib import Path

import av
import boto3

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from bench.storage.uplink import Uplink  # noqa: E402
from meet.config import Settings  # noqa: E402
from meet.recorder import finish  # noqa: E402
from meet.recorder.composer.output import create  # noqa: E402
from meet.recorder.composer.profile import PRESETS  # noqa: E402
from meet.recorder.upload.behind import UploadBehind  # noqa: E402
from tests.functional.storage.support import moto_server  # noqa: E402

FPS = 30
PROFILE = PRESETS["H264_720P_30"]
KEYS = {"aws_access_key_id": "key", "aws_secret_access_key": "secret", "region_name": "us-east-1"}


def grow(path: Path, seconds: int, bits_per_s: float) -> None:
    """Mux as the composer does, in real time. Nobody decodes it: the pictures are noise behind a true header."""
    container = create(path, PROFILE)
    stream = container.add_stream("libx264", rate=FPS)
    assert isinstance(stream, av.VideoStream)
    stream.width, stream.height, stream.pix_fmt, stream.time_base = 1280, 720, "yuv420p", Fraction(1, FPS)
    stream.codec_context.open()
    size, begun = int(bits_per_s / 8 / FPS), time.monotonic()
    for number in range(seconds * FPS):
        packet = av.Packet(b"\0\0\0\1\x65" + os.urandom(size - 5))
        packet.stream, packet.time_base = stream, Fraction(1, FPS)
        packet.pts = packet.dts = number
        packet.is_keyframe = number % (2 * FPS) == 0
        container.mux(packet)
        time.sleep(max(0.0, begun + number / FPS - time.monotonic()))
    container.close()


@contextlib.asynccontextmanager
async def stalls() -> AsyncIterator[list[float]]:
    """Seconds by which the event loop came late, collected until the end."""
    late: list[float] = []

    async def tick() -> None:
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0.005)
            late.append(time.perf_counter() - before - 0.005)

    task = asyncio.create_task(tick())
    yield late
    task.cancel()


async def measure(endpoint: str, folder: Path, key: str, args: argparse.Namespace, *, behind: bool) -> None:
    settings = Settings(
        data_dir=folder,
        blob_storage_mode="s3",
        s3_service_endpoint=endpoint,
        s3_access_key="key",
        s3_secret_key="secret",  # moto's
        s3_bucket="media",
    )
    path = folder / f"{key}.mp4"
    upload = UploadBehind(settings, path, key, PROFILE, lambda trouble: None)
    writer = multiprocessing.get_context("spawn").Process(target=grow, args=(path, args.seconds, args.mbits * 1e6))
    writer.start()
    async with stalls() as late:
        if behind:
            upload.start()
        await asyncio.to_thread(writer.join)
        busiest = max(late)
    stopped = time.monotonic()
    await finish.store(await upload.store(), key, path, path.stat().st_size, "video/mp4", print)
    took = time.monotonic() - stopped
    await upload.close()
    size = path.stat().st_size / 1e6
    print(f"{'behind' if behind else 'at the end':>10} {size:>8.0f} {took:>17.1f} {busiest * 1000:>22.0f}")


@contextlib.contextmanager
def _bucket() -> Iterator[str]:
    with moto_server() as (_, origin):
        client = boto3.client("s3", endpoint_url=origin, **KEYS)
        client.create_bucket(Bucket="media")
        client.close()
        yield origin


async def main(args: argparse.Namespace) -> None:
    with _bucket() as origin, tempfile.TemporaryDirectory(prefix="meet-bench-") as folder:
        async with Uplink(origin, args.uplink * 1e6 / 8).serving() as endpoint:
            print(f"{args.seconds} s at {args.mbits} Mbit/s, a line of {args.uplink} Mbit/s")
            print(f"{'stored':>10} {'MB':>8} {'stop to stored, s':>17} {'event loop late by, ms':>22}")
            for behind in (False, True):
                await measure(endpoint, Path(folder), f"r-{behind}", args, behind=behind)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--mbits", type=float, default=12)
    parser.add_argument("--uplink", type=float, default=20)
    asyncio.run(main(parser.parse_args()))
