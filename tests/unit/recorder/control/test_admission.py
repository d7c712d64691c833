"""When a start is refused: disk, spool, processor."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from meet.media.twirp.egress_model import EgressRefused, EgressUnsupported
from meet.recorder.control import EgressController
from meet.recorder.control.admission import Admission, CpuMeter, NoRoom
from meet.recorder.limits import free_bytes
from tests.unit.recorder.control.world import REQUEST


def meter(stat: Path, *readings: tuple[int, int]) -> CpuMeter:
    """One that has read these (busy, idle) jiffies."""
    made = CpuMeter(stat)
    for busy, idle in readings:
        stat.write_text(f"cpu  {busy} 0 0 {idle} 0 0 0 0 0 0\ncpu0 1 2 3\n")
        made.sample()
    return made


async def test_room_for_one_more(tmp_path: Path) -> None:
    await Admission(tmp_path / "not" / "there", min_free_bytes=1, max_spool_bytes=1, max_cpu=50).check()


async def test_the_disk_reserve(tmp_path: Path) -> None:
    with pytest.raises(NoRoom, match="free disk space is below the reserve"):
        await Admission(tmp_path, min_free_bytes=free_bytes(tmp_path) * 2).check()


async def test_the_reserve_of_a_storage_folder_elsewhere(tmp_path: Path) -> None:
    elsewhere = Path("/dev/shm")
    if free_bytes(elsewhere) * 2 >= free_bytes(tmp_path):
        pytest.skip("needs a smaller file system of memory")
    reserve = free_bytes(elsewhere) * 2
    await Admission(tmp_path, min_free_bytes=reserve).check()
    with pytest.raises(NoRoom, match="space in the storage folder is below the reserve"):
        await Admission(tmp_path, min_free_bytes=reserve, storage=elsewhere / "not" / "there").check()


async def test_a_full_spool(tmp_path: Path) -> None:
    journal = tmp_path / "EG_x" / "journal"
    journal.mkdir(parents=True)
    (journal / "000001.seg").write_bytes(bytes(999))
    await Admission(tmp_path, max_spool_bytes=1000).check()
    (journal / "000002.seg").write_bytes(bytes(1))
    with pytest.raises(NoRoom, match="fill the spool"):
        await Admission(tmp_path, max_spool_bytes=1000).check()


@pytest.mark.parametrize(("busy", "refused"), [(84, False), (85, True), (100, True)])
async def test_the_processor(tmp_path: Path, busy: int, refused: bool) -> None:
    measured = meter(tmp_path / "stat", (1000, 1000), (1000 + busy, 1000 + 100 - busy))
    assert measured.busy == pytest.approx(busy / 100)
    admission = Admission(tmp_path, max_cpu=85, meter=measured)
    if refused:
        with pytest.raises(NoRoom, match="processors are"):
            await admission.check()
    else:
        await admission.check()


async def test_starts_that_are_not_measured_yet_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    admission = Admission(tmp_path, max_cpu=85, meter=meter(tmp_path / "stat", (1000, 1000), (1050, 1050)))
    await admission.check()
    await admission.check()
    with pytest.raises(NoRoom, match="the processors are 85% busy"):
        await admission.check()
    monkeypatch.setattr("meet.recorder.control.admission._WINDOW_S", -1)
    await admission.check()


def test_what_cannot_be_measured_refuses_nothing(tmp_path: Path) -> None:
    assert meter(tmp_path / "stat", (1, 1)).busy is None
    strange = CpuMeter(tmp_path / "none")
    strange.sample()
    assert strange.busy is None


async def test_a_refused_start_leaves_nothing(tmp_path: Path) -> None:
    control = EgressController(tmp_path, admission=Admission(tmp_path / "spool", min_free_bytes=1 << 60))
    await control.open()
    with pytest.raises(EgressRefused, match="free disk space"):
        await control.start(REQUEST)
    assert control.list() == []
    assert not (tmp_path / "spool").exists()
    await control.close()


async def test_what_cannot_be_made_is_refused_in_its_own_words(tmp_path: Path) -> None:
    control = EgressController(tmp_path)
    await control.open()
    sound = {"bitrate": 96, "frequency": 44100, "codec": "AAC"}
    video = {"width": 5000, "height": 180, "framerate": 25, "bitrate": 800, "keyFrameInterval": 4, "codec": "H264_MAIN"}
    with pytest.raises(EgressUnsupported, match="a picture of 5000x180 is not supported"):
        await control.start(replace(REQUEST, encoding={"video": video, "audio": sound}))
    assert control.list() == []
    await control.close()
