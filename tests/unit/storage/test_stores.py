"""Blobs in stores that are no longer the configured one."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from meet.config import Settings
from storage import BlobNotFound, StorageMisconfigured, StorageUnavailable, Stores, StoreUnknown
from storage.filesystem import FilesystemStore
from storage.multipart import MultipartUpload, StoredPart
from storage.names import FILES
from storage.resume import Progress
from storage.s3 import S3Store

KEY = "meet/recordings/daily/daily--1.mp4"
HERE = "s3://new:9000/meetings"


async def put(store: FilesystemStore, folder: Path, content: bytes) -> None:
    file = folder / "file"
    file.write_bytes(content)
    await store.put_file(KEY, file, "video/mp4")
    file.unlink()


@pytest.fixture
def stores(tmp_path: Path) -> Stores:
    """A configured store, and the folder that was it before."""
    return Stores(HERE, FilesystemStore(tmp_path / "here"), folder=tmp_path / "storage")


async def test_a_blob_is_found_where_it_was_put_and_else_where_it_is(stores: Stores, tmp_path: Path) -> None:
    with pytest.raises(BlobNotFound):
        await stores.find(KEY, FILES)
    await put(FilesystemStore(tmp_path / "storage"), tmp_path, b"four")
    for expected in (FILES, HERE, None):
        assert (await stores.find(KEY, expected, 4)).name == FILES
    with pytest.raises(BlobNotFound):
        await stores.find(KEY, HERE, 5)
    await put(FilesystemStore(tmp_path / "here"), tmp_path, b"fives")
    assert (await stores.find(KEY, FILES, 4)).name == FILES
    assert (await stores.find(KEY, None, 5)).info.size == 5


async def test_a_store_that_no_setting_leads_to(stores: Stores, tmp_path: Path) -> None:
    assert not stores.knows("s3://old:9000/b")
    with pytest.raises(StoreUnknown):
        stores.get("s3://old:9000/b")
    with pytest.raises(StoreUnknown, match="s3://old:9000/b"):
        await stores.find(KEY, "s3://old:9000/b")
    await put(FilesystemStore(tmp_path / "here"), tmp_path, b"copied by hand")
    assert (await stores.find(KEY, "s3://old:9000/b", 14)).name == HERE


async def test_a_store_that_does_not_answer_may_be_the_one_that_has_it(
    stores: Stores, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(key: str) -> None:
        raise StorageUnavailable("away")

    monkeypatch.setattr(stores.current, "head", away)
    with pytest.raises(StorageUnavailable):
        await stores.find(KEY, FILES)
    await put(FilesystemStore(tmp_path / "storage"), tmp_path, b"four")
    assert (await stores.find(KEY, None)).name == FILES


async def test_reaching_a_former_folder_makes_none(stores: Stores, tmp_path: Path) -> None:
    with pytest.raises(StorageMisconfigured, match="no storage directory"):
        await stores.reach(FILES)
    assert not (tmp_path / "storage").exists()
    (tmp_path / "storage").mkdir()
    await stores.reach(FILES)
    await stores.reach(HERE)


def settings(tmp_path: Path, **more: Any) -> Settings:
    return Settings.load(data_dir=tmp_path, s3_service_endpoint="http://new:9000", s3_bucket="meetings", **more)


async def test_buckets_that_the_settings_lead_to(tmp_path: Path) -> None:
    former = [{"bucket": "a", "endpoint": "https://old", "access_key": "k", "path_style": False}, {"bucket": "c"}]
    stores = Stores.of(settings(tmp_path, blob_storage_mode="s3", s3_former_stores=json.dumps(former)))
    assert stores.name == HERE
    assert all(map(stores.knows, (HERE, FILES, "s3://old/a", "s3://new:9000/c")))
    store = stores.get("s3://old/a")
    assert isinstance(store, S3Store) and store is stores.get("s3://old/a")
    assert (store._config.access_key, store._config.path_style, store._config.region) == ("k", False, "us-east-1")
    beside = stores.get("s3://old/other")
    assert isinstance(beside, S3Store) and (beside._config.bucket, beside._config.access_key) == ("other", "k")
    assert not stores.knows("s3://elsewhere/a")
    await stores.close()


async def test_a_bucket_is_still_known_after_the_change_to_files(tmp_path: Path) -> None:
    stores = Stores.of(settings(tmp_path))
    assert stores.name == FILES and stores.knows(HERE)
    assert isinstance(stores.get(HERE), S3Store)
    await stores.close()


@pytest.mark.parametrize(
    "text", ["{}", "[", '["b"]', '[{"endpoint": "x"}]', '[{"bucket": "b", "color": "x"}]', '[{"bucket": 1}]']
)
def test_a_list_of_former_stores_that_is_none(tmp_path: Path, text: str) -> None:
    with pytest.raises(StorageMisconfigured, match="MEET_S3_FORMER_STORES"):
        Stores.of(settings(tmp_path, s3_former_stores=text))


def test_what_is_noted_of_an_upload_holds_for_its_store_only(tmp_path: Path) -> None:
    note, upload = tmp_path / "composite.upload", MultipartUpload(None, "b", KEY, "id-1")
    Progress(note, "s3://old/b").save(upload, [StoredPart(1, "e", "m")])
    assert Progress(note, HERE).load(KEY) is None
    assert Progress(note, "s3://old/b").load(KEY) == ("id-1", [StoredPart(1, "e", "m")])
    content = json.loads(note.read_text())
    del content["store"]  # noted by the version before
    note.write_text(json.dumps(content))
    assert Progress(note, HERE).load(KEY) == ("id-1", [StoredPart(1, "e", "m")])
    note.write_text("null")
    assert Progress(note, HERE).load(KEY) is None


async def test_a_folder_that_hangs_holds_up_nobody_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of it is asked on the thread of the event loop."""
    asked, loops = Path.stat, threading.get_ident()

    def stat(path: Path, **more: Any) -> Any:
        assert threading.get_ident() != loops or path.name != "storage"
        return asked(path, **more)

    monkeypatch.setattr(Path, "stat", stat)
    stores = Stores(HERE, FilesystemStore(tmp_path / "here"), folder=tmp_path / "storage")
    with pytest.raises(BlobNotFound):
        await stores.find(KEY, None)
    with pytest.raises(StorageMisconfigured):
        await stores.reach(FILES)
    await stores.close()
