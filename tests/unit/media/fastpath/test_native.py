"""Choosing the implementation, and building it or going on without."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import structlog

from meet.media.fastpath import native, open_outbox
from meet.media.sfu.lane import Lane, new_lane
from meet.media.transport.udpmux import UdpMux
from tests.unit.media.fakes import Clock, FakePeer
from tools.build_native import FOLDER, CannotBuild, NativeBuildHook, compile_into

ROOT = Path(__file__).parents[4]


def said(mode: native.Mode) -> tuple[bool, dict[str, Any]]:
    with structlog.testing.capture_logs() as lines:
        opened = open_outbox(mode) is not None
    assert len(lines) == 1
    return opened, dict(lines[0])


def test_off_means_python() -> None:
    opened, line = said("off")
    assert not opened
    assert (line["event"], line["native"], line["reason"]) == ("media_fast_path", False, "switched off")


@pytest.mark.parametrize("name", ["REVISION", "MAX_PACKET"])
def test_a_build_of_another_version_is_not_used(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    if native.load()[0] is None:
        pytest.skip("not built")
    assert said("auto") == (True, {"event": "media_fast_path", "native": True, "log_level": "info"})
    monkeypatch.setattr(native, name, -1)
    opened, line = said("auto")
    assert not opened
    assert line["reason"] == "built from another version"


def test_without_a_build_python_does_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "meet.media.fastpath._native", None)
    monkeypatch.delattr("meet.media.fastpath._native", raising=False)
    opened, line = said("auto")
    assert not opened
    assert line["reason"] == "not built"
    mux = UdpMux("127.0.0.1", 0, outbox=open_outbox())
    assert mux.outbox is None
    mux.close()


def test_addresses_other_than_udp_are_left_to_python() -> None:
    assert native._resolve("no session", None) is None
    assert native._sockaddr(1, ("path",)) is None
    assert native._sockaddr(2, ("no address", 9)) is None
    made = native._sockaddr(2, ("1.2.3.4", 0x1234))
    assert made is not None
    assert made[2:8] == b"\x12\x34\x01\x02\x03\x04"
    assert len(made) == 16
    assert len(native._sockaddr(10, ("fe80::1%eth0", 9, 0, 3)) or b"") == 28


def test_lanes_are_of_the_kind_the_mux_sends_by() -> None:
    lane = new_lane(
        FakePeer(Clock()).as_peer(), pt=1, ssrc=2, extension_id=0, ring=1, pictures=False, sequence=0, timestamp=0
    )
    assert isinstance(lane, Lane)


@pytest.mark.parametrize(
    ("environment", "reason"),
    [({"CC": "/nonexistent/cc"}, "no C compiler"), ({"CC": "false"}, "false failed"), ({"PATH": ""}, "no C compiler")],
)
def test_what_cannot_be_built_says_why(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, environment: dict[str, str], reason: str
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(CannotBuild, match=reason):
        compile_into(tmp_path / "made.so", ROOT)
    assert list(tmp_path.iterdir()) == []


def test_without_headers_nothing_is_built(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tools.build_native.sysconfig.get_path", lambda _name: str(tmp_path))
    with pytest.raises(CannotBuild, match=r"no Python\.h|no C compiler"):
        compile_into(tmp_path / "made.so", ROOT)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the sources, so that the tests' own build stays."""
    shutil.copytree(ROOT / FOLDER, tmp_path / FOLDER, ignore=shutil.ignore_patterns("*.so", "*.py", "__pycache__"))
    return tmp_path


def hook(project: Path, version: str) -> tuple[dict[str, Any], list[str]]:
    """What the hook makes of the build's facts, and its warnings."""
    warned: list[str] = []
    app = cast(Any, SimpleNamespace(display_warning=warned.append))
    facts: dict[str, Any] = {"artifacts": [], "pure_python": True}
    NativeBuildHook(str(project), {}, cast(Any, None), cast(Any, None), "", "wheel", app).initialize(version, facts)
    return facts, warned


def test_a_wheel_with_the_module_is_for_this_platform(project: Path) -> None:
    facts, warned = hook(project, "standard")
    if warned:
        pytest.skip(warned[0])
    assert facts["artifacts"] == [f"{FOLDER}/_native.abi3.so"]
    assert (project / facts["artifacts"][0]).is_file()
    assert facts["tag"].startswith("cp311-abi3-linux_")
    assert facts["pure_python"] is False


@pytest.mark.parametrize("version", ["standard", "editable"])
def test_without_a_compiler_the_package_is_pure_python(
    project: Path, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    monkeypatch.setenv("CC", "/nonexistent/cc")
    (project / FOLDER / "_native.abi3.so").write_bytes(b"from before")
    facts, warned = hook(project, version)
    assert facts == {"artifacts": [], "pure_python": True}
    assert len(warned) == 1
    assert "no C compiler" in warned[0]
    assert not (project / FOLDER / "_native.abi3.so").exists()
