"""Where finished recordings live: one protocol, `BlobStore`, in two implementations.

`blob` has the protocol and what it returns, `errors` what it raises, `keys` the layout of keys. `filesystem`
(with `localfile`, its blocking half) keeps blobs as files; `s3` (with `s3_client`, `s3_errors`, `s3_read`,
`multipart` and `resume`) keeps them in a bucket. A blob is visible under its key only when complete, and never changes
afterwards without changing its ETag. Nothing here knows of meetings, HTTP servers or settings files.
"""

from .blob import BlobInfo, BlobStore
from .config import S3Config, StorageSettings, create
from .errors import (
    BlobChanged,
    BlobNotFound,
    InvalidKey,
    RangeOutside,
    StorageError,
    StorageMisconfigured,
    StorageUnavailable,
)

__all__ = [
    "BlobChanged",
    "BlobInfo",
    "BlobNotFound",
    "BlobStore",
    "InvalidKey",
    "RangeOutside",
    "S3Config",
    "StorageError",
    "StorageMisconfigured",
    "StorageSettings",
    "StorageUnavailable",
    "create",
]
