from __future__ import annotations

import base64
import json
from dataclasses import replace
from pathlib import Path

import pytest

from meet.config import Settings
from storage import S3Config, StorageMisconfigured, create
from storage.filesystem import FilesystemStore
from storage.s3 import S3Store


def test_settings_choose_the_store(tmp_path: Path) -> None:
    files = create(Settings.load(data_dir=tmp_path, blob_storage_mode="fs"))
    assert isinstance(files, FilesystemStore)
    assert files.root == tmp_path / "storage"
    assert isinstance(create(Settings.load(data_dir=tmp_path, blob_storage_mode="s3")), S3Store)


def test_the_secret_is_not_in_the_representation() -> None:
    assert "hunter2" not in repr(S3Config("b", secret_key="hunter2"))


def test_encryption_parameters() -> None:
    plain = S3Config("b")
    assert plain.encryption() == {}
    assert replace(plain, sse_type="SSE-S3").encryption() == {"ServerSideEncryption": "AES256"}
    kms = replace(plain, sse_type="SSE-KMS", sse_kms_key_id="k1", sse_kms_encryption_context='{"a": "b"}')
    params = kms.encryption()
    assert params["ServerSideEncryption"] == "aws:kms"
    assert params["SSEKMSKeyId"] == "k1"
    assert json.loads(base64.b64decode(params["SSEKMSEncryptionContext"])) == {"a": "b"}


@pytest.mark.parametrize(
    "config",
    [
        S3Config("b", sse_type="SSE-C"),
        S3Config("b", sse_type="SSE-KMS"),
        S3Config("b", sse_type="SSE-KMS", sse_kms_key_id="k", sse_kms_encryption_context="[1]"),
        S3Config("b", sse_type="SSE-KMS", sse_kms_key_id="k", sse_kms_encryption_context="{"),
    ],
)
def test_impossible_encryption_is_refused_when_the_store_is_made(config: S3Config) -> None:
    with pytest.raises(StorageMisconfigured):
        S3Store(config)
