"""What a blob store raises. Each message is one sentence fit for a log line or a person: no secret, no traceback."""

from __future__ import annotations


class StorageError(Exception):
    """Base of everything the package raises on purpose."""


class InvalidKey(StorageError, ValueError):
    """The key is not one the layout can produce (empty, traversal, control characters, too long)."""


class BlobNotFound(StorageError):
    """No complete blob has this key."""

    def __init__(self, key: str) -> None:
        super().__init__(f"There is no blob '{key}'.")
        self.key = key


class BlobChanged(StorageError):
    """The blob is not the one `if_match` named: it was replaced since it was looked at."""

    def __init__(self, key: str) -> None:
        super().__init__(f"Blob '{key}' was replaced while it was in use.")
        self.key = key


class RangeOutside(StorageError):
    """The asked byte range begins behind the end of the blob."""

    def __init__(self, key: str) -> None:
        super().__init__(f"The byte range is outside of blob '{key}'.")
        self.key = key


class StorageUnavailable(StorageError):
    """The store does not answer, or stopped answering, or is full. Trying again later may help."""


class StorageMisconfigured(StorageError):
    """Bucket, credential, endpoint or directory is wrong. Only an operator can help."""


class StoreUnknown(StorageError):
    """The blob is in a store that no setting leads to."""

    def __init__(self, name: str) -> None:
        super().__init__(f"The store {name} is not configured (MEET_S3_FORMER_STORES).")
        self.name = name
