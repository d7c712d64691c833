from __future__ import annotations

import pytest

from storage.names import bucket_name, split


@pytest.mark.parametrize(
    ("endpoint", "name"),
    [
        ("http://Minio:9000", "s3://minio:9000/b"),
        ("https://minio:9000/", "s3://minio:9000/b"),
        ("minio:9000", "s3://minio:9000/b"),
        ("http://key:secret@minio:9000?x=1", "s3://minio:9000/b"),
        ("https://minio:443", "s3://minio/b"),
        ("http://minio", "s3://minio/b"),
        ("https://host/objects/", "s3://host/objects/b"),
        ("http://[::1]:9000", "s3://[::1]:9000/b"),
        ("http://host:port", "s3://host:port/b"),
        ("http://key:secret@[::1", "s3://[::1/b"),
        ("", "s3://s3.amazonaws.com/b"),
        ("https://s3.eu-west-1.amazonaws.com", "s3://s3.amazonaws.com/b"),
        ("https://s3.cn-north-1.amazonaws.com.cn", "s3://s3.amazonaws.com.cn/b"),
        ("https://notamazonaws.com", "s3://notamazonaws.com/b"),
    ],
)
def test_a_bucket_is_called_the_same_however_its_endpoint_is_written(endpoint: str, name: str) -> None:
    assert bucket_name(endpoint, "b") == name
    assert split(name) == (name.removeprefix("s3://").removesuffix("/b"), "b")


def test_only_buckets_have_a_place() -> None:
    assert split("fs") == ("", "")
