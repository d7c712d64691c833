"""When a start is refused: disk, spool, processor."""

from __future__ import annotations

import asyncio
import errno
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from meet.media.twirp.egress_model import EgressRefused, EgressUnsupported
from meet.recorder.control import EgressController
from meet.recorder.control.admission import Admission, NoRoom
from meet.recorder.control.processors import WINDOW_S, CpuMeter, own_group
from meet.recorder.limits import free_bytes
from tests.unit.recorder.control.world import REQUEST, FakeSupervisor


def meter(stat: Path, busy: int, *, nice: int = 0, readings: int = WINDOW_S, cores: float = 2.0) -> CpuMeter:
    """One that has seen so many percent busy all the time, and so many more at a low priority."""
    made = CpuMeter(stat)
    made.cores = cores
    for turn in range(1, readings + 1):
        stat.write_text(f"cpu  {busy * turn} {nice * turn} 0 {(100 - busy - nice) * turn} 0 0 0 0 0 0\ncpu0 1 2 3\n")
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


async def test_a_storage_folder_that_is_away_refuses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is recorded waits for it in the spool. However many starts, one thread waits for it."""
    storage, asked, back = tmp_path / "storage", [], threading.Event()

    def hanging(path: Path) -> int:
        if path == storage:
            asked.append(path)
            assert back.wait(30)
            raise OSError(errno.ESTALE, "Stale file handle")
        return 1 << 40

    monkeypatch.setattr("meet.recorder.control.admission.free_bytes", hanging)
    monkeypatch.setattr("meet.recorder.control.admission.existing", lambda path: path)
    monkeypatch.setattr("meet.recorder.control.admission._STORE_PATIENCE_S", 0.05)
    admission = Admission(tmp_path / "spool", min_free_bytes=1000, storage=storage)
    await asyncio.gather(*(admission.check() for _ in range(10)))
    await admission.check()
    assert len(asked) == 1
    back.set()
    await admission._looking["storage"]
    monkeypatch.setattr("meet.recorder.control.admission._STORE_PATIENCE_S", 30)
    await admission.check()
    assert len(asked) == 2


async def test_a_full_spool(tmp_path: Path) -> None:
    journal = tmp_path / "EG_x" / "journal"
    journal.mkdir(parents=True)
    (journal / "000001.seg").write_bytes(bytes(999))
    await Admission(tmp_path, max_spool_bytes=1000).check()
    (journal / "000002.seg").write_bytes(bytes(1))
    with pytest.raises(NoRoom, match="fill the spool"):
        await Admission(tmp_path, max_spool_bytes=1000).check()


@pytest.mark.parametrize(
    ("busy", "cores", "refused"),
    [(77, 2, False), (78, 2, True), (100, 2, True), (86, 4, False), (87, 4, True), (92, 16, False), (94, 16, True)],
)
async def test_the_processor(tmp_path: Path, busy: int, cores: int, refused: bool) -> None:
    """A third of a core must be there for one more."""
    admission = Admission(tmp_path, max_cpu=95, meter=meter(tmp_path / "stat", busy, cores=cores))
    if refused:
        with pytest.raises(NoRoom, match=f"the processors are {busy}% busy, with one more recording .*95% allowed"):
            await admission.check(running=1)
    else:
        await admission.check(running=1)


async def test_the_only_recording_is_taken_however_busy_the_machine_is(tmp_path: Path) -> None:
    admission = Admission(tmp_path, max_cpu=95, meter=meter(tmp_path / "stat", 100))
    await admission.check(running=0)
    await admission.check(running=0)
    with pytest.raises(NoRoom):
        await admission.check(running=1)


async def test_starts_that_are_not_measured_yet_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    admission = Admission(tmp_path, max_cpu=95, meter=meter(tmp_path / "stat", 50))
    await admission.check(running=0)
    await admission.check(running=1)
    with pytest.raises(NoRoom, match="50% busy, with one more recording 102%"):
        await admission.check(running=2)
    monkeypatch.setattr("meet.recorder.control.admission.WINDOW_S", -1)
    await admission.check(running=2)


def test_a_peak_and_what_gives_way_are_not_busy(tmp_path: Path) -> None:
    assert meter(tmp_path / "stat", 100, readings=WINDOW_S // 2).busy is None
    assert meter(tmp_path / "stat", 30, nice=70).busy == pytest.approx(0.3)


def test_what_cannot_be_measured_refuses_nothing(tmp_path: Path) -> None:
    strange = CpuMeter(tmp_path / "none", tmp_path)
    for _ in range(2 * WINDOW_S):
        strange.sample()
    assert strange.busy is None


def test_a_control_group_allows_less_than_the_machine_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a core is all there is, however idle the machine: cpu.max and cpu.stat of a container."""
    now = 1000.0
    monkeypatch.setattr("meet.recorder.control.processors.time.monotonic", lambda: now)
    (tmp_path / "cpu.max").write_text("50000 100000\n")
    measured = CpuMeter(tmp_path / "none", tmp_path)
    for _ in range(WINDOW_S):
        now += 1.0
        (tmp_path / "cpu.stat").write_text(f"usage_usec {round((now - 1000) * 400_000)}\nuser_usec 1\n")
        measured.sample()
    assert measured.busy == pytest.approx(0.8)
    assert measured.cores == 0.5


@pytest.mark.parametrize(
    ("own", "limits", "found"),
    [
        ("0::/\n", {"": "max 100000"}, None),
        ("0::/\n", {"": "150000 100000"}, ""),
        ("12:cpu:/old\n0::/system.slice/meet.service\n", {"system.slice": "50000 100000"}, "system.slice"),
        ("12:cpu:/old\n", {}, None),
    ],
)
def test_the_group_that_limits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own: str, limits: dict[str, str], found: str | None
) -> None:
    (tmp_path / "own").write_text(own)
    groups = tmp_path / "groups"
    for name, limit in limits.items():
        (groups / name).mkdir(parents=True)
        (groups / name / "cpu.max").write_text(limit)
    monkeypatch.setattr("meet.recorder.control.processors._OWN", tmp_path / "own")
    monkeypatch.setattr("meet.recorder.control.processors._GROUPS", groups)
    assert own_group() == (None if found is None else groups / found)


async def test_a_refused_start_leaves_nothing(tmp_path: Path) -> None:
    control = EgressController(tmp_path, admission=Admission(tmp_path / "spool", min_free_bytes=1 << 60))
    await control.open()
    with pytest.raises(EgressRefused, match="free disk space"):
        await control.start(REQUEST)
    assert control.list() == []
    assert not (tmp_path / "spool").exists()
    await control.close()


async def test_a_second_recording_is_refused_on_a_busy_machine(data: Path) -> None:
    supervisor = FakeSupervisor(data / "run" / "supervisor.sock")
    await supervisor.open()
    control = EgressController(data, admission=Admission(data / "spool", max_cpu=95, meter=meter(data / "stat", 90)))
    await control.open()
    state = await control.start(REQUEST)
    with pytest.raises(EgressRefused, match="the processors are 90% busy"):
        await control.start(replace(REQUEST, room_name="b"))
    assert control.refused == {"cpu": 1}
    assert [one.egress_id for one in control.list()] == supervisor.started == [state.egress_id]
    await control.stop(state.egress_id)
    await control.close()
    await supervisor.close()


async def test_what_cannot_be_made_is_refused_in_its_own_words(tmp_path: Path) -> None:
    control = EgressController(tmp_path)
    await control.open()
    sound = {"bitrate": 96, "frequency": 44100, "codec": "AAC"}
    video = {"width": 5000, "height": 180, "framerate": 25, "bitrate": 800, "keyFrameInterval": 4, "codec": "H264_MAIN"}
    with pytest.raises(EgressUnsupported, match="a picture of 5000x180 is not supported"):
        await control.start(replace(REQUEST, encoding={"video": video, "audio": sound}))
    assert control.list() == []
    await control.close()
