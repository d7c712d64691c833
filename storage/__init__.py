"""Where finished recordings live: one protocol, `BlobStore`, in two implementations.

`blob` has the protocol and what it returns, `errors` what it raises, `keys` the layout of keys. `filesystem`
(with `localfile`, its blocking half) keeps blobs as files; `s3` (with `s3_client`, `s3_errors`, `s3_read`) keeps them
in a bucket. `s3_upload` sends them in parts (`multipart`, `slice`, `pace`, `resume`), `s3_behind` while they grow;
`patience` says how long a bucket may be silent.
A blob is visible under its key only when complete, and never changes afterwards without changing its ETag. Nothing here
knows of meetings, HTTP servers or settings files.
"""

from .blob import Behind, BlobInfo, BlobStore
from .config import S3Config, StorageSettings, create, local_folder
from .errors import (
    BlobChanged,
    BlobNotFound,
    InvalidKey,
    RangeOutside,
    StorageError,
    StorageMisconfigured,
    StorageUnavailable,
)
from .pace import Pace

__all__ = [
    "Behind",
    "BlobChanged",
    "BlobInfo",
    "BlobNotFound",
    "BlobStore",
    "InvalidKey",
    "Pace",
    "RangeOutside",
    "S3Config",
    "StorageError",
    "StorageMisconfigured",
    "StorageSettings",
    "StorageUnavailable",
    "create",
    "local_folder",
]
