"""Multipart uploads: the plan of parts and one upload's requests.

The steps are separate (`plan`, `begin`, `put`, `complete`, `abort`) and an upload is only `upload_id` plus the parts
acknowledged so far, so a caller that keeps those can go on with an upload begun by another process.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from io import RawIOBase
from pathlib import Path
from typing import Any, Final

MIB: Final = 1024 * 1024
PART_SIZE: Final = 5 * MIB
MAX_PARTS: Final = 10_000

_EQUAL: Final = 4000
_ERA: Final = 500
_LARGEST: Final = 4096 * MIB
_READ: Final = MIB


@dataclass(frozen=True, slots=True)
class Part:
    """Bytes `offset` to `offset + size - 1` of the file, uploaded as part `number` (from 1)."""

    number: int
    offset: int
    size: int

    @property
    def end(self) -> int:
        """Offset behind the last byte."""
        return self.offset + self.size


@dataclass(frozen=True, slots=True)
class StoredPart:
    """What the store said about a part, beside the MD5 (hex) we computed of it."""

    number: int
    etag: str
    md5: str


def parts(part_size: int = PART_SIZE) -> Iterator[Part]:
    """The parts of a file of unknown length, one after the other; without end.

    The first 4000 are of one size (20 GiB with 5 MiB each), as some stores want it. From there on the size doubles
    every 500, up to 4 GiB: 10 000 parts then hold more than the 5 TiB of the largest object. S3 allows parts of 5 MiB
    to 5 GiB.
    """
    number, offset = 1, 0
    while True:
        doublings = max(0, number - _EQUAL + _ERA - 1) // _ERA
        size = max(part_size, min(part_size << doublings, _LARGEST))
        yield Part(number, offset, size)
        number, offset = number + 1, offset + size


def plan(size: int, part_size: int = PART_SIZE) -> list[Part]:
    """The parts of a file of `size` bytes; the last one may be shorter. Raises ValueError when there are none."""
    if size <= 0:
        raise ValueError("a multipart upload has at least one byte")
    planned = []
    for part in parts(part_size):
        if part.end >= size:
            planned.append(Part(part.number, part.offset, size - part.offset))
            return planned
        planned.append(part)
    raise AssertionError("unreachable: `parts` has no end")


def digest(path: Path, part: Part) -> bytes:
    """MD5 of a part. Blocking. Raises ValueError when the file is shorter than planned."""
    known = hashlib.md5(usedforsecurity=False)
    left = part.size
    with path.open("rb") as file:
        file.seek(part.offset)
        while left:
            data = file.read(min(left, _READ))
            if not data:
                raise ValueError("the file became shorter")
            known.update(data)
            left -= len(data)
    return known.digest()


def expected_etag(parts: Iterable[StoredPart]) -> str | None:
    """The quoted ETag S3 gives to the joined object: MD5 of the parts' MD5s, dash, their number.

    None when the store's part ETags are not MD5s (SSE-KMS, some S3 servers): then nothing can be foretold.
    """
    ordered = sorted(parts, key=lambda part: part.number)
    if any(part.etag.strip('"') != part.md5 for part in ordered):
        return None
    joined = b"".join(bytes.fromhex(part.md5) for part in ordered)
    return f'"{hashlib.md5(joined, usedforsecurity=False).hexdigest()}-{len(ordered)}"'


async def consists_of(chunks: AsyncIterator[bytes], plan: Iterable[Part], parts: Iterable[StoredPart]) -> bool:
    """Whether the bytes that are read are those of the parts, one after the other as planned."""
    expected = {part.number: part.md5 for part in parts}
    rest = memoryview(b"")
    for part in plan:
        known, left = hashlib.md5(usedforsecurity=False), part.size
        while left:
            if not rest:
                rest = memoryview(await anext(chunks, b""))
                if not rest:
                    return False
            known.update(rest[:left])
            left, rest = left - min(left, len(rest)), rest[left:]
        if known.hexdigest() != expected.get(part.number):
            return False
    return not rest and not await anext(chunks, b"")


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

    async def put(self, number: int, body: RawIOBase, md5: bytes) -> StoredPart:
        """Upload one part. Content-MD5 makes the store itself refuse bytes damaged on the way."""
        answer = await self.client.upload_part(
            Bucket=self.bucket,
            Key=self.key,
            UploadId=self.upload_id,
            PartNumber=number,
            Body=body,
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

    async def ask(self) -> None:
        """Ask for what has arrived, for the sake of what may be raised."""
        await self.client.list_parts(Bucket=self.bucket, Key=self.key, UploadId=self.upload_id, MaxParts=1)

    async def abort(self) -> None:
        """Have the store forget the parts."""
        await self.client.abort_multipart_upload(Bucket=self.bucket, Key=self.key, UploadId=self.upload_id)
