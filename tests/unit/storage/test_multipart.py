from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.multipart import MAX_PARTS, MIB, Part, StoredPart, consists_of, digest, expected_etag, plan


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 5 * 1024**4), st.sampled_from([5 * MIB, 8 * MIB, 64 * MIB]))
def test_parts_cover_the_file_once_within_the_limits_of_s3(size: int, part_size: int) -> None:
    parts = plan(size, part_size)
    assert len(parts) <= MAX_PARTS
    assert [part.number for part in parts] == list(range(1, len(parts) + 1))
    assert sum(part.size for part in parts) == size
    assert all(later.offset == part.offset + part.size for part, later in pairwise(parts))
    assert all(part.size >= part_size for part in parts[:-1])


def test_nothing_to_upload_has_no_plan() -> None:
    with pytest.raises(ValueError, match="at least one byte"):
        plan(0)


def test_expected_etag_is_the_md5_of_md5s() -> None:
    digests = [hashlib.md5(data).digest() for data in (b"one", b"two")]
    parts = [StoredPart(number, f'"{md5.hex()}"', md5.hex()) for number, md5 in enumerate(digests, start=1)]
    wanted = f'"{hashlib.md5(b"".join(digests)).hexdigest()}-2"'
    assert expected_etag(parts) == wanted
    assert expected_etag(reversed(parts)) == wanted


def test_no_etag_is_expected_of_a_store_with_other_part_etags() -> None:
    assert expected_etag([StoredPart(1, '"opaque"', hashlib.md5(b"x").hexdigest())]) is None


def test_what_is_planned_of_a_growing_file_is_never_planned_otherwise() -> None:
    known = plan(100 * 1024**3)
    longer = plan(5 * 1024**4)
    assert longer[: len(known) - 1] == known[:-1]
    assert {part.size for part in longer[:4000]} == {5 * MIB}  # some stores want equal parts
    assert max(part.size for part in longer) <= 5 * 1024**3


def test_digest_refuses_a_shorter_file(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"0123456789")
    assert digest(path, Part(2, 4, 6)) == hashlib.md5(b"456789").digest()
    with pytest.raises(ValueError, match="shorter"):
        digest(path, Part(2, 4, 7))


async def _chunks(data: bytes, size: int) -> AsyncIterator[bytes]:
    for at in range(0, len(data), size):
        yield data[at : at + size]


@pytest.mark.parametrize("chunk", [1, 3, 10, 11, 100])
async def test_what_is_read_is_compared_with_the_parts(chunk: int) -> None:
    data = bytes(range(25))
    planned = [Part(1, 0, 10), Part(2, 10, 10), Part(3, 20, 5)]
    stored = [StoredPart(p.number, "", hashlib.md5(data[p.offset : p.end]).hexdigest()) for p in planned]
    assert await consists_of(_chunks(data, chunk), planned, stored)
    for other in (data[:-1], data + b"x", data[:12] + b"x" + data[13:], b""):
        assert not await consists_of(_chunks(other, chunk), planned, stored)
    assert not await consists_of(_chunks(data, chunk), planned, stored[:2])
