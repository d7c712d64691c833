from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import pytest

import storage
from meet.config import Settings
from meet.recorder.composer.profile import PRESETS
from meet.recorder.upload import behind as module
from meet.recorder.upload.behind import UploadBehind
from storage import Pace, StorageMisconfigured, StorageUnavailable

PART = 1000
FRAGMENT = (8 + 992).to_bytes(4, "big") + b"mdat" + bytes(992)


class Store:
    """Takes parts of 1000 bytes, unless it is told to be away or to be held."""

    def __init__(self) -> None:
        self.sent = self.asked = self.checked = 0
        self.resumed: list[int] = []
        self.away = self.abandoned = self.closed = False
        self.go = asyncio.Event()
        self.go.set()
        self.pace: Pace | None = None

    def behind(self, key: str, path: Path, content_type: str, *, progress: Path) -> Store:
        assert (key, content_type, progress.name) == ("r/a.mp4", "video/mp4", "composite.upload")
        return self

    async def resume(self, settled: int) -> int:
        self.resumed.append(settled)
        if self.away:
            raise StorageUnavailable("The object store at nowhere does not answer.")
        self.sent = 2 * PART
        return 2

    async def check(self) -> None:
        self.checked += 1
        if self.away:
            raise StorageUnavailable("The object store at nowhere does not answer.")

    async def ask(self) -> None:
        self.asked += 1
        if self.away:
            raise StorageUnavailable("The object store at nowhere does not answer.")

    async def advance(self, settled: int, pace: Pace | None = None) -> int:
        if self.away and self.sent + PART <= settled:
            raise StorageUnavailable("The object store at nowhere does not answer.")
        if self.sent + PART > settled:
            return 0
        self.pace = pace
        await self.go.wait()
        self.sent += PART
        return PART

    async def abandon(self) -> None:
        self.abandoned = True

    async def close(self) -> None:
        self.closed = True


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Store:
    made = Store()
    monkeypatch.setattr(storage, "create", lambda _settings: made)
    for name in ("_POLL_S", "_FIRST_RETRY_S", "_MAX_RETRY_S", "WORTH_TELLING_S"):
        monkeypatch.setattr(module, name, 0.01)
    return made


@pytest.fixture
def composite(tmp_path: Path) -> Path:
    path = tmp_path / "composite.mp4"
    path.write_bytes(FRAGMENT * 3 + FRAGMENT[:500])
    return path


@pytest.fixture
async def upload(store: Store, composite: Path, troubles: list[str | None]) -> AsyncIterator[UploadBehind]:
    made = UploadBehind(Settings(), composite, "r/a.mp4", PRESETS["H264_720P_30"], troubles.append)
    yield made
    await made.close()
    assert store.closed


@pytest.fixture
def troubles() -> list[str | None]:
    return []


async def until(condition: Any) -> None:
    async with asyncio.timeout(40):
        while not condition():
            await asyncio.sleep(0.005)


async def test_what_is_whole_is_sent_and_no_more(upload: UploadBehind, store: Store, composite: Path) -> None:
    upload.start()
    await until(lambda: store.sent == 3 * PART)
    with composite.open("ab") as file:
        file.write(FRAGMENT[500:])
    await until(lambda: store.sent == 4 * PART)
    assert cast(Any, await upload.store()) is store
    with composite.open("ab") as file:
        file.write(FRAGMENT)
    await asyncio.sleep(0.05)
    assert store.sent == 4 * PART  # the rest is put_file's


async def test_a_store_that_is_away_is_told_when_it_matters(
    upload: UploadBehind, store: Store, troubles: list[str | None]
) -> None:
    store.away = True
    upload.start()
    await until(lambda: len(troubles) >= 2)
    assert troubles[0] == "what is recorded cannot be stored yet: The object store at nowhere does not answer."
    store.away = False
    await until(lambda: store.sent == 3 * PART)
    assert troubles[-1] is None


async def test_a_store_is_asked_before_there_is_anything_for_it(
    upload: UploadBehind, store: Store, composite: Path, troubles: list[str | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wrong credentials are not found out at the end of a long still meeting."""
    monkeypatch.setattr(module, "_ASK_EVERY_S", 0.02)
    monkeypatch.setattr(module, "_FIRST_ASKED_AFTER_S", 0.0)
    composite.write_bytes(FRAGMENT[:500])
    store.away = True
    upload.start()
    await until(lambda: troubles)
    assert "does not answer" in (troubles[0] or "")
    store.away = False
    await until(lambda: troubles[-1] is None)
    checked = store.checked
    await until(lambda: store.checked > checked)
    assert (store.sent, store.asked) == (0, 0)
    composite.write_bytes(FRAGMENT)
    await until(lambda: store.sent == PART)
    await until(lambda: store.asked)


async def test_what_only_an_operator_can_mend_is_told_at_once(
    upload: UploadBehind, store: Store, troubles: list[str | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WORTH_TELLING_S", 1000.0)

    async def refused(settled: int, pace: Pace | None = None) -> int:
        raise StorageMisconfigured("The S3 bucket 'b' does not exist (MEET_S3_BUCKET).")

    monkeypatch.setattr(store, "advance", refused)
    upload.start()
    await until(lambda: troubles)
    assert troubles[0] == "what is recorded cannot be stored yet: The S3 bucket 'b' does not exist (MEET_S3_BUCKET)."


async def test_an_upload_is_begun_before_there_is_enough_for_a_part(
    upload: UploadBehind, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bucket that may only be read is found out by that, and not a minute later."""
    monkeypatch.setattr(module, "_FIRST_ASKED_AFTER_S", 0.0)
    store.sent = 5 * PART
    upload.start()
    await until(lambda: store.asked)
    await asyncio.sleep(0.05)
    assert (store.asked, store.checked) == (1, 0)


async def test_the_end_waits_for_the_part_on_its_way_and_lifts_the_pace(upload: UploadBehind, store: Store) -> None:
    store.go.clear()
    upload.start()
    await until(lambda: store.pace is not None)
    assert store.pace is not None
    assert store.pace.rate is not None
    ending = asyncio.create_task(upload.store())
    await until(lambda: store.pace is not None and store.pace.rate is None)
    await asyncio.sleep(0.02)
    assert not ending.done()
    store.go.set()
    await ending
    assert store.sent == PART


async def test_abandoning_ends_the_sending(upload: UploadBehind, store: Store, composite: Path) -> None:
    upload.start()
    await until(lambda: store.sent == 3 * PART)
    await upload.abandon()
    assert store.abandoned
    composite.write_bytes(FRAGMENT * 9)
    await asyncio.sleep(0.05)
    assert store.sent == 3 * PART


async def test_a_file_that_is_begun_again_is_left_to_the_end(upload: UploadBehind, store: Store) -> None:
    await upload.store()
    upload.start()
    await asyncio.sleep(0.05)
    assert store.sent == 0


async def test_what_another_process_has_sent_is_gone_on_with(
    upload: UploadBehind, store: Store, composite: Path, troubles: list[str | None]
) -> None:
    """As soon as the file is; and where the store was away just then, afterwards."""
    store.away = True
    upload.start(composite.stat().st_size)
    await asyncio.sleep(0.05)
    assert not store.resumed, "its end may still be written anew"
    with composite.open("ab") as file:
        file.write(FRAGMENT[500:])
    await until(lambda: troubles)
    store.away = False
    await until(lambda: store.sent == 4 * PART)
    assert set(store.resumed) == {4 * PART}
    assert store.pace is not None and store.pace.rate == 1024 * 1024, "what was there before is no reason to hurry"


async def test_a_file_that_is_given_up_is_sent_anew(upload: UploadBehind, store: Store, composite: Path) -> None:
    """While a part of the other one is on its way."""
    upload.start()
    await until(lambda: store.sent == 3 * PART)
    store.go.clear()
    with composite.open("ab") as file:
        file.write(FRAGMENT[500:])
    await asyncio.sleep(0.05)
    upload.start()
    await until(lambda: store.abandoned)
    assert store.sent == 3 * PART
    store.go.set()
    await until(lambda: store.sent == 4 * PART)
    assert cast(Any, await upload.store()) is store and not store.resumed


async def test_closing_does_not_wait_for_the_store(upload: UploadBehind, store: Store) -> None:
    store.go.clear()
    upload.start()
    await until(lambda: store.pace is not None)
    await asyncio.wait_for(upload.close(), 40)
    assert store.sent == 0
