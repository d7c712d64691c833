"""Blobs where they were put: the configured store, and those that were configured before it.

A store that nobody reads from is not opened. Besides the configured one there are the data directory's folder, the
buckets of `MEET_S3_FORMER_STORES`, and other buckets behind an endpoint whose key is known: who may not read them is
told so by the store itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import structlog

from . import config
from .blob import BlobInfo, BlobStore
from .config import S3Config, StorageSettings
from .errors import BlobNotFound, StorageError, StorageMisconfigured, StoreUnknown
from .names import FILES, split
from .patience import Patience
from .threads import Threads

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Found:
    """Where a blob is: the store's name, the store, and what it says of the blob."""

    name: str
    store: BlobStore
    info: BlobInfo


class Stores:
    """name: of `current`, the store that new blobs go to. folder: holds blobs as files, or may have held some.

    listed: former buckets; near: buckets beside which, at the same endpoint, there may be others."""

    def __init__(
        self,
        name: str,
        current: BlobStore,
        *,
        folder: Path | None = None,
        listed: Iterable[S3Config] = (),
        near: Iterable[S3Config] = (),
    ) -> None:
        self.name, self.current = name, current
        self._folder = folder
        self._listed: Mapping[str, S3Config] = {each.name: each for each in listed}
        self._near: Mapping[str, S3Config] = {split(each.name)[0]: each for each in (*self._listed.values(), *near)}
        self._exactly = {**{each.name: each for each in near}, **self._listed}
        self._opened: dict[str, BlobStore] = {name: current}

    @classmethod
    def of(cls, settings: StorageSettings) -> Self:
        """Those of the settings. Raises StorageMisconfigured."""
        return cls(
            config.name(settings),
            config.create(settings),
            folder=config.files_folder(settings),
            listed=config.former(settings),
            near=[config.bucket(settings)],
        )

    def knows(self, name: str) -> bool:
        """Whether the settings lead to the store; whether it answers is another question."""
        return name in self._opened or (name == FILES and self._folder is not None) or self._bucket(name) is not None

    def get(self, name: str) -> BlobStore:
        """The store. Nothing is contacted. Raises StoreUnknown, StorageMisconfigured."""
        if (known := self._opened.get(name)) is not None:
            return known
        if name == FILES and self._folder is not None:
            from .filesystem import FilesystemStore

            store: BlobStore = FilesystemStore(self._folder)
        elif (bucket := self._bucket(name)) is not None:
            # aiobotocore costs half a second to import: only who uses S3 pays.
            from .s3 import S3Store

            store = S3Store(bucket)
        else:
            raise StoreUnknown(name)
        self._opened[name] = store
        return store

    async def reach(self, name: str) -> None:
        """Have the store answer, for the sake of what may be raised: StoreUnknown, and as `BlobStore.check`."""
        store = self.get(name)
        # That of a folder makes it, and writes there: not to a former one, which may be kept from that.
        if name != FILES or name == self.name or self._folder is None:
            await store.check()
        elif not await self._has_folder(self._folder):
            raise StorageMisconfigured(f"There is no storage directory {self._folder}.")

    async def find(self, key: str, name: str | None, size: int | None = None) -> Found:
        """The blob in the store of that name; in any of those that are known when it is not there, or None was given.

        size: a blob that was not expected where it is found must have it, where it is known. Raises BlobNotFound,
        StoreUnknown when it is nowhere else and there is no way to that store, and what the stores raise."""
        if name is not None and self.knows(name):
            with suppress(BlobNotFound):
                return Found(name, self.get(name), await self.get(name).head(key))
        trouble: StorageError | None = None
        for other in self._candidates():
            if other == name:
                continue
            try:
                info = await self.get(other).head(key)
            except BlobNotFound:
                continue
            except StorageError as error:  # it may be in the next one
                trouble = trouble or error
                continue
            if size is None or info.size == size:
                if name is not None:
                    log.info("blob_found_elsewhere", key=key, store=other, expected_in=name)
                return Found(other, self.get(other), info)
        if trouble is not None:
            raise trouble
        if name is not None and not self.knows(name):
            raise StoreUnknown(name)
        raise BlobNotFound(key)

    async def close(self) -> None:
        """Close what was opened, the current store included."""
        for store in self._opened.values():
            await store.close()

    def _candidates(self) -> list[str]:
        """Where to look for what is not where it should be; the likeliest first."""
        files = [FILES] if self._folder is not None else []
        return list(dict.fromkeys([self.name, *files, *self._listed]))

    async def _has_folder(self, folder: Path) -> bool:
        threads = Threads(f"The storage directory {folder}")
        try:
            return await threads.run(folder.is_dir, Patience().answer)
        finally:
            threads.close()

    def _bucket(self, name: str) -> S3Config | None:
        place, bucket = split(name)
        beside = self._near.get(place)
        return self._exactly.get(name) or (replace(beside, bucket=bucket) if beside is not None and bucket else None)
