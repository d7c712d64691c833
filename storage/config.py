"""From settings to stores: `create`, `former`, and the value object the S3 side is built from."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, Protocol

from .blob import BlobStore
from .errors import StorageMisconfigured
from .names import FILES, bucket_name

_FORMER: Final[dict[str, type]] = {
    "bucket": str,
    "endpoint": str,
    "access_key": str,
    "secret_key": str,
    "region": str,
    "path_style": bool,
}


class StorageSettings(Protocol):
    """The part of the process settings that storage reads (`MEET_BLOB_STORAGE_MODE`, `MEET_S3_*`, contract 1.8)."""

    @property
    def data_dir(self) -> Path: ...
    @property
    def blob_storage_mode(self) -> str: ...
    @property
    def s3_bucket(self) -> str: ...
    @property
    def s3_subbucket(self) -> str: ...
    @property
    def s3_service_endpoint(self) -> str: ...
    @property
    def s3_access_key(self) -> str: ...
    @property
    def s3_secret_key(self) -> str: ...
    @property
    def s3_region(self) -> str: ...
    @property
    def s3_with_path_style_access(self) -> bool: ...
    @property
    def s3_sse_type(self) -> str: ...
    @property
    def s3_sse_kms_key_id(self) -> str: ...
    @property
    def s3_sse_kms_encryption_context(self) -> str: ...
    @property
    def s3_former_stores(self) -> str: ...


@dataclass(frozen=True, slots=True)
class S3Config:
    """Where the bucket is and how to speak to it.

    An empty `endpoint` means AWS itself; empty keys mean botocore's own credential chain (instance roles).
    `prefix` is where all keys are below, `connections` the number of objects that can be read at the same time.
    """

    bucket: str
    endpoint: str = ""
    access_key: str = ""
    secret_key: str = field(default="", repr=False)
    region: str = "us-east-1"
    path_style: bool = True
    sse_type: str = ""
    sse_kms_key_id: str = ""
    sse_kms_encryption_context: str = ""
    prefix: str = ""
    connections: int = 250

    @property
    def name(self) -> str:
        """What is written down of blobs that are in this bucket."""
        return bucket_name(self.endpoint, self.bucket)

    @property
    def where(self) -> str:
        """The endpoint as it may be shown: without a name and a password in it."""
        scheme, found, rest = self.endpoint.partition("://")
        return f"{scheme}://{rest.rpartition('@')[2]}" if found else self.endpoint.rpartition("@")[2] or "AWS"

    def encryption(self) -> dict[str, str]:
        """Request parameters for server-side encryption. Raises StorageMisconfigured for an impossible combination."""
        if not self.sse_type:
            return {}
        if self.sse_type == "SSE-S3":
            return {"ServerSideEncryption": "AES256"}
        if self.sse_type != "SSE-KMS":
            raise StorageMisconfigured("MEET_S3_SSE_TYPE must be SSE-S3 or SSE-KMS.")
        if not self.sse_kms_key_id:
            raise StorageMisconfigured("MEET_S3_SSE_TYPE=SSE-KMS needs MEET_S3_SSE_KMS_KEY_ID.")
        params = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": self.sse_kms_key_id}
        if self.sse_kms_encryption_context:
            params["SSEKMSEncryptionContext"] = _encoded_context(self.sse_kms_encryption_context)
        return params


def _encoded_context(text: str) -> str:
    """S3 wants the context as base64 of a JSON object of strings."""
    try:
        context = json.loads(text)
    except ValueError:
        context = None
    if not isinstance(context, dict):
        raise StorageMisconfigured("MEET_S3_SSE_KMS_ENCRYPTION_CONTEXT must be a JSON object.")
    return base64.b64encode(json.dumps(context, separators=(",", ":")).encode()).decode()


def local_folder(settings: StorageSettings) -> Path | None:
    """The folder that holds the blobs as files; None where they are elsewhere."""
    return files_folder(settings) if settings.blob_storage_mode == FILES else None


def files_folder(settings: StorageSettings) -> Path:
    """The folder that holds blobs as files where they are stored so, or were."""
    return settings.data_dir / "storage"


def bucket(settings: StorageSettings) -> S3Config:
    """The bucket of `MEET_S3_*`, also where it is not used."""
    return S3Config(
        bucket=settings.s3_bucket,
        endpoint=settings.s3_service_endpoint,
        access_key=settings.s3_access_key,
        secret_key=settings.s3_secret_key,
        region=settings.s3_region,
        path_style=settings.s3_with_path_style_access,
        sse_type=settings.s3_sse_type,
        sse_kms_key_id=settings.s3_sse_kms_key_id,
        sse_kms_encryption_context=settings.s3_sse_kms_encryption_context,
        prefix=settings.s3_subbucket,
    )


def name(settings: StorageSettings) -> str:
    """What the configured store is called where blobs are written down to be in it."""
    return FILES if local_folder(settings) is not None else bucket(settings).name


def former(settings: StorageSettings) -> list[S3Config]:
    """The buckets of `MEET_S3_FORMER_STORES`; what one leaves out is as in `MEET_S3_*`. Raises StorageMisconfigured."""
    if not settings.s3_former_stores:
        return []
    try:
        listed = json.loads(settings.s3_former_stores)
    except ValueError:
        listed = None
    if not isinstance(listed, list) or not all(_names_a_bucket(entry) for entry in listed):
        known = ", ".join(_FORMER)
        raise StorageMisconfigured(
            f"MEET_S3_FORMER_STORES must be a JSON list of objects with a bucket each, and of {known} what differs."
        )
    return [replace(bucket(settings), **entry) for entry in listed]


def _names_a_bucket(entry: object) -> bool:
    if not isinstance(entry, dict) or not entry.get("bucket"):
        return False
    return all(isinstance(value, _FORMER.get(key, type(None))) for key, value in entry.items())


def create(settings: StorageSettings) -> BlobStore:
    """The store the settings ask for. Nothing is contacted yet: call `check()` for that.

    Raises StorageMisconfigured for settings that can never work.
    """
    if (folder := local_folder(settings)) is not None:
        from .filesystem import FilesystemStore

        return FilesystemStore(folder)
    if settings.blob_storage_mode != "s3":
        raise StorageMisconfigured("MEET_BLOB_STORAGE_MODE must be fs or s3.")
    # aiobotocore costs half a second to import: only who uses S3 pays.
    from .s3 import S3Store

    return S3Store(bucket(settings))
