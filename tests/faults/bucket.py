"""A bucket of one test, seen without the weather."""

from __future__ import annotations

import secrets
from typing import Any

import boto3

KEYS = {"aws_access_key_id": "key", "aws_secret_access_key": "secret", "region_name": "us-east-1"}


class Bucket:
    """A bucket of the test's own, seen without the weather."""

    def __init__(self, moto: str) -> None:
        self.name = f"b{secrets.token_hex(6)}"
        self._s3: Any = boto3.client("s3", endpoint_url=moto, **KEYS)
        self.create()

    def create(self) -> None:
        self._s3.create_bucket(Bucket=self.name)

    def delete(self) -> None:
        for upload in self.uploads():
            self._s3.abort_multipart_upload(Bucket=self.name, Key=upload["Key"], UploadId=upload["UploadId"])
        self._s3.delete_bucket(Bucket=self.name)

    def uploads(self) -> list[Any]:
        return list(self._s3.list_multipart_uploads(Bucket=self.name).get("Uploads", []))

    def begin(self, key: str) -> None:
        self._s3.create_multipart_upload(Bucket=self.name, Key=key)

    def content(self, key: str) -> bytes:
        return bytes(self._s3.get_object(Bucket=self.name, Key=key)["Body"].read())

    def keys(self) -> list[str]:
        return [entry["Key"] for entry in self._s3.list_objects_v2(Bucket=self.name).get("Contents", [])]
