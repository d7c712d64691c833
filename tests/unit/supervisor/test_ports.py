"""Ports are claimed before anything is started."""

from __future__ import annotations

import socket

import pytest

from meet.config import Settings
from meet.supervisor.run import PortInUse, claim_ports


def test_zero_becomes_a_free_port_for_all_processes() -> None:
    settings = claim_ports(Settings.load(port=0, livekit_port=0, rtc_port=0, livekit_url=""))
    assert len({settings.port, settings.livekit_port, settings.rtc_port}) >= 2
    assert min(settings.port, settings.livekit_port, settings.rtc_port) > 0


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
