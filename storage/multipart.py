"""Multipart uploads: the plan of parts and one upload's requests.

The steps are separate (`plan`, `begin`, `put`, `complete`, `abort`) and an upload is only `upload_id` plus the parts
acknowledged so far, so a caller that keeps those can go on with an upload begun by another process.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MIB = 1024 * 1024
PART_SIZE = 8 * MIB
MAX_PARTS = 10_000


@dataclass(frozen=True, slots=True)
class Part:
    """Bytes `offset` to `offset + size - 1` of the file, uploaded as part `number` (from 1)."""

    number: int
    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class StoredPart:
    """What the store said about a part, beside the MD5 (hex) we computed of it."""

    number: int
    etag: str
    md5: str


def plan(size: int, part_size: int = PART_SIZE) -> list[Part]:
    """Cut `size` bytes into at most 10,000 equal parts of at least `part_size`; the last one may be shorter."""
    if size <= 0:
        raise ValueError("a multipart upload has at least one byte")
    smallest = -(-size // MAX_PARTS)
    if smallest > part_size:
        part_size = -(-smallest // MIB) * MIB
    return [
        Part(number, offset, min(part_size, size - offset))
        for number, offset in enumerate(range(0, size, part_size), start=1)
    ]


def read_part(path: Path, part: Part) -> tuple[bytes, bytes]:
    """(bytes, MD5 digest) of a part. Blocking. Raises ValueError when the file is shorter than planned."""
    with path.open("rb") as file:
        file.seek(part.offset)
        data = file.read(part.size)
    if len(data) != part.size:
        raise ValueError("the file became shorter")
    return data, hashlib.md5(data, usedforsecurity=False).digest()


def expected_etag(parts: Iterable[StoredPart]) -> str | None:
    """The quoted ETag S3 gives to the joined object: MD5 of the parts' MD5s, dash, their number.

    None when the store's part ETags are not MD5s (SSE-KMS, some S3 servers): then nothing can be foretold.
    """
    ordered = sorted(parts, key=lambda part: part.number)
    if any(part.etag.strip('"') != part.md5 for part in ordered):
        return None
    joined = b"".join(bytes.fromhex(part.md5) for part in ordered)
    return f'"{hashlib.md5(joined, usedforsecurity=False).hexdigest()}-{len(ordered)}"'


@dataclass(frozen=True, slots=True)
class MultipartUpload:
    """One upload in progress. Methods raise botocore's errors: the store translates them."""

    client: Any
    bucket: str
    key: str
    upload_id: str

    @classmethod
    async def begin(
        cls, client: Any, bucket: str, key: str, content_type: str, encryption: Mapping[str, str]
    ) -> MultipartUpload:
        answer = await client.create_multipart_upload(Bucket=bucket, Key=key, ContentType=content_type, **encryption)
        return cls(client, bucket, key, answer["UploadId"])

    async def put(self, number: int, data: bytes, md5: bytes) -> StoredPart:
        """Upload one part. Content-MD5 makes the store itself refuse bytes damaged on the way."""
        answer = await self.client.upload_part(
            Bucket=self.bucket,
            Key=self.key,
            UploadId=self.upload_id,
            PartNumber=number,
            Body=data,
            ContentMD5=base64.b64encode(md5).decode(),
        )
        return StoredPart(number, answer["ETag"], md5.hex())

    async def complete(self, parts: Iterable[StoredPart]) -> str:
        """Join the parts: from here on the object is visible. Returns its ETag, quoted."""
        ordered = sorted(parts, key=lambda part: part.number)
        answer = await self.client.complete_multipart_upload(
            Bucket=self.bucket,
            Key=self.key,
            UploadId=self.upload_id,
            MultipartUpload={"Parts": [{"PartNumber": part.number, "ETag": part.etag} for part in ordered]},
        )
        return str(answer["ETag"])

    async def abort(self) -> None:
        """Have the store forget the parts."""
        await self.client.abort_multipart_upload(Bucket=self.bucket, Key=self.key, UploadId=self.upload_id)
