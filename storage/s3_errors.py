"""What botocore and aiohttp raise, as storage errors with one clear sentence each.

Only error codes and our own words end up in a message: bodies of S3 errors may name access keys and signed strings.
"""

from __future__ import annotations

import asyncio

import aiohttp
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
)

from .config import S3Config
from .errors import (
    BlobChanged,
    BlobNotFound,
    RangeOutside,
    StorageError,
    StorageMisconfigured,
    StorageUnavailable,
)

TRANSFER_ERRORS = (ClientError, BotoCoreError, aiohttp.ClientError, asyncio.TimeoutError, OSError, ValueError)
"""Everything a request to the object store may raise."""

_CREDENTIALS = {
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "InvalidToken",
    "ExpiredToken",
    "InvalidSecurity",
    "NotSignedUp",
    "UnrecognizedClientException",
    "MissingSecurityHeader",
}
_REGION = {"PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException", "301"}
_REFUSED = {"AccessDenied", "AllAccessDisabled", "AccountProblem", "Forbidden", "401", "403"}
_CLOCK = {"RequestTimeTooSkewed", "RequestExpired"}


def translate(error: BaseException, config: S3Config, key: str | None = None) -> StorageError:
    """The storage error that `error` (one of TRANSFER_ERRORS) means for a request about `key`, or the bucket itself."""
    bucket = config.bucket
    if isinstance(error, StorageError):
        return error
    if isinstance(error, ClientError):
        return _from_answer(error, bucket, key)
    if isinstance(error, NoCredentialsError | PartialCredentialsError):
        return StorageMisconfigured("No S3 credentials are set (MEET_S3_ACCESS_KEY, MEET_S3_SECRET_KEY).")
    if isinstance(error, ValueError | ParamValidationError):
        return StorageMisconfigured(f"The S3 settings for bucket '{bucket}' are not valid (MEET_S3_*).")
    return StorageUnavailable(f"The object store at {config.where} does not answer ({type(error).__name__}).")


def _from_answer(error: ClientError, bucket: str, key: str | None) -> StorageError:
    code = str(error.response.get("Error", {}).get("Code", ""))
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code == "NoSuchBucket" or (key is None and status == 404):
        return StorageMisconfigured(f"The S3 bucket '{bucket}' does not exist (MEET_S3_BUCKET).")
    if key is not None and (code in ("NoSuchKey", "NotFound") or status == 404):
        return BlobNotFound(key)
    if key is not None and (code == "PreconditionFailed" or status == 412):
        return BlobChanged(key)
    if key is not None and (code == "InvalidRange" or status == 416):
        return RangeOutside(key)
    if code in _CREDENTIALS:
        return StorageMisconfigured("The object store refused the S3 credentials (MEET_S3_ACCESS_KEY, _SECRET_KEY).")
    if code in _REGION or status == 301:
        return StorageMisconfigured(f"The S3 bucket '{bucket}' is in another region (MEET_AWS_REGION).")
    if code in _CLOCK:
        return StorageMisconfigured("The object store refused the request because this machine's clock is wrong.")
    if code in _REFUSED or status in (401, 403):
        return StorageMisconfigured(
            f"The object store refused access to bucket '{bucket}' with these S3 credentials (MEET_S3_*):"
            f" {error.operation_name} is not allowed."
        )
    if code == "InvalidBucketName" or (key is None and status == 400):
        return StorageMisconfigured(f"The object store does not accept bucket '{bucket}' and region (MEET_S3_*).")
    return StorageUnavailable(f"The object store answered {code or status or 'with an error'}.")
