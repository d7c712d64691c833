"""`python -m tests.faults.behind [--kills 2] [--codec VP8]`: an upload behind a recording whose recorders are killed.

Counts the parts in a real S3 server while the recording runs: after every kill there have to be more of them, of the
same upload. Then the object must be the file that the recorder has inspected. Ends with 1 when it is not.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import boto3
import numpy as np

from meet.demo.api import Api
from meet.demo.server import Server
from tests.faults import campaign, counter
from tests.faults.bucket import KEYS
from tests.faults.campaign import ENCODING, FINAL, insist
from tests.faults.counter import HEIGHT, WIDTH, Counter, numbers_in
from tests.functional.storage.support import moto_server

BUCKET: Final = "meetings"
PATIENCE_S: Final = 300.0
_numbered = counter.picture
_noise = np.random.default_rng(1)


def picture(number: int) -> bytes:
    """Its number, above noise, which makes a large file."""
    made = bytearray(_numbered(number))
    from_row = HEIGHT // 2
    rows = _noise.integers(16, 235, ((HEIGHT - from_row) // 6, WIDTH // 4), dtype=np.uint8)
    noise = np.kron(rows, np.ones((6, 4), np.uint8))
    made[from_row * WIDTH : from_row * WIDTH + noise.size] = noise.tobytes()
    return bytes(made)


def parts(s3: Any) -> dict[str, list[int]]:
    """Numbers of the parts that the store has, by upload."""
    found = {}
    for upload in s3.list_multipart_uploads(Bucket=BUCKET).get("Uploads", []):
        listed = s3.list_parts(Bucket=BUCKET, Key=upload["Key"], UploadId=upload["UploadId"])
        found[upload["UploadId"]] = [part["PartNumber"] for part in listed.get("Parts", [])]
    return found


async def more_parts(s3: Any, than: int, now: Any) -> dict[str, list[int]]:
    """Those in the store, when there are more. Raises TimeoutError."""
    async with asyncio.timeout(PATIENCE_S):
        while sum(map(len, (found := await asyncio.to_thread(parts, s3)).values())) <= than:
            await asyncio.sleep(0.5)
    print(
        f"  {now():6.1f} s  {', '.join(f'{upload[:8]}: parts {those}' for upload, those in found.items())}", flush=True
    )
    return found


async def run(endpoint: str, directory: Path, kills: int, encoding: dict[str, Any]) -> list[str]:
    """What is wrong."""
    s3 = boto3.client("s3", endpoint_url=endpoint, **KEYS)
    s3.create_bucket(Bucket=BUCKET)
    env = {
        "MEET_BLOB_STORAGE_MODE": "s3",
        "MEET_S3_SERVICE_ENDPOINT": endpoint,
        "MEET_S3_ACCESS_KEY": KEYS["aws_access_key_id"],
        "MEET_S3_SECRET_KEY": KEYS["aws_secret_access_key"],
        "MEET_S3_BUCKET": BUCKET,
    }
    async with Server(directory / "data", env=env) as server, Api(server.url, server.api_key) as api:
        room = await api.create_room("Behind")
        url, token = await api.join_token(room, "Ada")
        async with Counter(url, token, epoch=time.monotonic()) as publisher:
            recording = (await api.start_recording(room["roomId"], encoding=encoding))["recordingId"]
            found = await more_parts(s3, 1, publisher.now)
            first = set(found)
            for _ in range(kills):
                await campaign.kill(server, "recorder", publisher.now)
                print(f"  {publisher.now():6.1f} s  kill -9", flush=True)
                found = await more_parts(s3, sum(map(len, found.values())), publisher.now)
            status = (await api.call("GET", f"/api/v1/recordings/{recording}"))["status"]
            stopped = publisher.now()
            await insist(lambda: api.stop_recording(recording))
            done = await api.wait_for(recording, *FINAL)
            print(f"  {publisher.now():6.1f} s  {done['status']}, {publisher.now() - stopped:.1f} s after the stop")
        path = directory / "a.file"
        await api.download(recording, path, lambda *_: None)
        facts = (await api.call("GET", f"/api/extra/v1/recordings/{recording}"))["integrity"]
        log, left = server.log_path.read_text(), parts(s3)
    spool = server.data_dir / "spool" / recording.split("--")[1]
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    probe = ["ffmpeg", "-v", "error", "-xerror", "-i", str(path), "-f", "null", "-"]
    decoded = subprocess.run(probe, capture_output=True, text=True)
    numbers, length_s = numbers_in(path)
    sent, resumed = log.count("part_stored_behind"), log.count("composite_resumed")
    print(f"  {path.stat().st_size} bytes, {length_s:.1f} s, sha256 {digest}")
    print(f"  {sent} parts behind the recording, gone on with {resumed} times")
    wrong = {
        "it was not being recorded any more": status != "active",
        "not complete": done["status"] != "complete",
        "the uploads were not one": set(found) != first,
        "the store has other bytes": (digest, path.stat().st_size) != (facts["sha256"], facts["size"]),
        f"ffmpeg: {decoded.stderr.strip()}": bool(decoded.returncode or decoded.stderr),
        "pictures out of order": numbers != sorted(numbers),
        f"gone on with {resumed} times": resumed != kills or "composite_not_gone_on_with" in log,
        f"uploads left: {left}": bool(left),
        "something is left in the spool": bool([*spool.glob("composite*"), *spool.glob("journal")]),
    }
    return [what for what, so in wrong.items() if so]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=2)
    parser.add_argument("--codec", default="H264_MAIN", help="of the video; VP8 makes a WebM")
    options = parser.parse_args()
    os.environ["MEET_RATE_LIMITS"] = "false"
    counter.picture = picture
    video = ENCODING["video"] | {"codec": options.codec, "width": 640, "height": 360, "bitrate": 6000}
    with moto_server() as (_, endpoint), tempfile.TemporaryDirectory(prefix="meet-behind-") as directory:
        wrong = asyncio.run(run(endpoint, Path(directory), options.kills, {**ENCODING, "video": video}))
    print("\n".join(wrong) or "whole")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
