"""When a start is refused: disk, spool, processor."""

from __future__ import annotations

from pathlib import Path

import pytest

from meet.media.twirp.egress_model import EgressRefused
from meet.recorder.control import EgressController
from meet.recorder.control_admission import Admission, CpuMeter, NoRoom
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
