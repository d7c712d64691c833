"""Ports are claimed before anything is started."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from meet.config import Settings
from meet.supervisor import run
from meet.supervisor.run import PortInUse, claim_ports, media_children, ports


def test_zero_becomes_a_free_port_for_all_processes() -> None:
    settings = claim_ports(Settings.load(port=0, livekit_port=0, rtc_port=0, livekit_url=""))
    assert len({settings.port, settings.livekit_port, settings.rtc_port}) >= 2
    assert min(settings.port, settings.livekit_port, settings.rtc_port) > 0


def test_a_free_port_is_none_that_a_connection_could_take_meanwhile() -> None:
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    if lowest < 4096:
        pytest.skip("this kernel chooses from nearly all ports")
    for _ in range(5):
        settings = claim_ports(Settings.load(port=0, livekit_port=0, rtc_port=0, metrics_port=0, media_processes=2))
        chosen = [port.number(settings) for port in ports(settings)]
        assert all(1024 < number < lowest for number in chosen), chosen


def test_where_the_kernels_ports_are_not_known_it_chooses(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(run, "_KERNELS_PORTS", tmp_path / "none")
    assert claim_ports(Settings.load(port=0, livekit_port=0, rtc_port=0)).rtc_port > 0


def test_a_taken_port_names_its_option() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(PortInUse, match=f"port {port} is already in use on 127.0.0.1; choose another with --port"):
            claim_ports(Settings.load(port=port, livekit_port=0, rtc_port=0))


@pytest.mark.parametrize(("setting", "option"), [("rtc_port", "--rtc-port"), ("metrics_port", "MEET_METRICS_PORT")])
def test_media_over_tcp_and_metrics_have_ports_as_well(setting: str, option: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        chosen = {"port": 0, "livekit_port": 0, "rtc_port": 0, "rtc_host": "127.0.0.1", setting: port}
        with pytest.raises(PortInUse, match=f"choose another with {option}"):
            claim_ports(Settings.load(**chosen))


def test_an_external_media_server_needs_no_ports_of_ours() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        settings = claim_ports(Settings.load(port=0, livekit_port=port, livekit_url="ws://media.example:7880"))
    assert settings.livekit_port == port


def test_media_workers_have_consecutive_ports() -> None:
    wanted = Settings.load(port=0, livekit_port=0, rtc_port=0, media_processes=3)
    settings = claim_ports(wanted)
    media = [port for port in ports(settings) if port.setting == "rtc_port"]
    assert [port.number(settings) - settings.rtc_port for port in media] == [0, 0, 1, 1, 2, 2]
    assert {port.number(wanted) for port in media} == {0}
    with socket.socket(type=socket.SOCK_DGRAM) as taken:
        taken.bind((settings.rtc_host, settings.rtc_port + 2))
        with pytest.raises(PortInUse, match=f"port {settings.rtc_port + 2} is already in use"):
            claim_ports(settings)


def test_media_ports_do_not_run_over() -> None:
    with pytest.raises(PortInUse, match="port 65536 does not exist; choose a lower one with --rtc-port"):
        claim_ports(Settings.load(port=0, livekit_port=0, rtc_port=65535, rtc_tcp=False, media_processes=2))


def test_one_process_for_one_core_and_a_front_for_more() -> None:
    def names(count: int) -> list[str]:
        return [child.name for child in media_children(Settings.load(media_processes=count), {})]

    assert names(1) == ["media"]
    assert names(3) == ["media front", "media worker 0", "media worker 1", "media worker 2"]
    assert media_children(Settings.load(livekit_url="ws://media.example:7880"), {}) == []


@pytest.mark.parametrize(("cores", "workers"), [(1, 1), (2, 2), (64, 8)])
def test_one_process_per_core(monkeypatch: pytest.MonkeyPatch, cores: int, workers: int) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _pid: set(range(cores)))
    assert claim_ports(Settings.load(port=0, livekit_port=0, rtc_port=0, media_processes=0)).media_processes == workers
