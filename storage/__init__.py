"""Where finished recordings live: one protocol, `BlobStore`, in two implementations.

`blob` has the protocol and what it returns, `errors` what it raises, `keys` the layout of keys, `probe` asks a store as
often as one likes. `filesystem` (with `localfile`, its blocking half, and `threads` for that) keeps blobs as files;
`s3` (with `s3_client`, `s3_errors`, `s3_read`) keeps them in a bucket. `s3_upload` sends them in parts (`multipart`,
`slice`, `pace`, `resume`), `s3_behind` while they grow; `patience` says how long a store may be silent. `stores` has
the configured store and those that were it before, by their `names`.
A blob is visible under its key only when complete, and never changes afterwards without changing its ETag. Nothing here
knows of meetings, HTTP servers or settings files.
"""

from .blob import Behind, BlobInfo, BlobStore
from .config import S3Config, StorageSettings, create, local_folder, name
from .errors import (
    BlobChanged,
    BlobNotFound,
    InvalidKey,
    RangeOutside,
    StorageError,
    StorageMisconfigured,
    StorageUnavailable,
    StoreUnknown,
)
from .pace import Pace
from .probe import StoreProbe
from .stores import Found, Stores

__all__ = [
    "Behind",
    "BlobChanged",
    "BlobInfo",
    "BlobNotFound",
    "BlobStore",
    "Found",
    "InvalidKey",
    "Pace",
    "RangeOutside",
    "S3Config",
    "StorageError",
    "StorageMisconfigured",
    "StorageSettings",
    "StorageUnavailable",
    "StoreProbe",
    "StoreUnknown",
    "Stores",
    "create",
    "local_folder",
    "name",
]
