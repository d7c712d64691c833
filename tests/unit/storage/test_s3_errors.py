from __future__ import annotations

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError, ReadTimeoutError

from storage.config import S3Config
from storage.errors import (
    BlobChanged,
    BlobNotFound,
    RangeOutside,
    StorageError,
    StorageMisconfigured,
    StorageUnavailable,
)
from storage.s3_errors import translate


def answer(code: str, status: int) -> ClientError:
    """What botocore raises; the message holds what must never be shown."""
    error = {"Code": code, "Message": "AKIASECRET signature deadbeef"}
    return ClientError({"Error": error, "ResponseMetadata": {"HTTPStatusCode": status}}, "Op")


@pytest.mark.parametrize(
    ("error", "key", "kind"),
    [
        (answer("404", 404), "k", BlobNotFound),
        (answer("NoSuchKey", 404), "k", BlobNotFound),
        (answer("NoSuchBucket", 404), "k", StorageMisconfigured),
        (answer("404", 404), None, StorageMisconfigured),
        (answer("PreconditionFailed", 412), "k", BlobChanged),
        (answer("412", 412), "k", BlobChanged),
        (answer("InvalidRange", 416), "k", RangeOutside),
        (answer("InvalidAccessKeyId", 403), "k", StorageMisconfigured),
        (answer("SignatureDoesNotMatch", 403), "k", StorageMisconfigured),
        (answer("AccessDenied", 403), "k", StorageMisconfigured),
        (answer("403", 403), None, StorageMisconfigured),
        (answer("PermanentRedirect", 301), None, StorageMisconfigured),
        (answer("RequestTimeTooSkewed", 403), None, StorageMisconfigured),
        (answer("400", 400), None, StorageMisconfigured),
        (answer("SlowDown", 503), "k", StorageUnavailable),
        (answer("InternalError", 500), None, StorageUnavailable),
        (NoCredentialsError(), None, StorageMisconfigured),
        (ValueError("Invalid endpoint"), None, StorageMisconfigured),
        (EndpointConnectionError(endpoint_url="http://h:1/b?X-Amz-Signature=deadbeef"), "k", StorageUnavailable),
        (ReadTimeoutError(endpoint_url="http://h:1/b?X-Amz-Signature=deadbeef"), None, StorageUnavailable),
        (TimeoutError(), "k", StorageUnavailable),
        (ConnectionResetError(), "k", StorageUnavailable),
    ],
)
def test_each_error_has_its_kind_and_one_harmless_sentence(
    error: Exception, key: str | None, kind: type[StorageError]
) -> None:
    mapped = translate(error, S3Config("media", "http://name:deadbeef@h:1"), key)
    assert type(mapped) is kind
    text = str(mapped)
    assert text.endswith(".")
    assert "\n" not in text
    assert "AKIASECRET" not in text
    assert "deadbeef" not in text


def test_what_was_refused_is_named() -> None:
    mapped = translate(answer("AccessDenied", 403), S3Config("media"), "k")
    assert str(mapped).endswith("with these S3 credentials (MEET_S3_*): Op is not allowed.")


@pytest.mark.parametrize(
    ("endpoint", "shown"),
    [
        ("", "AWS"),
        ("http://h:1", "http://h:1"),
        ("https://name:pass@word@h:1/p", "https://h:1/p"),
        ("name:pass@h:1", "h:1"),
    ],
)
def test_an_endpoint_is_shown_without_its_password(endpoint: str, shown: str) -> None:
    assert S3Config("media", endpoint).where == shown
