"""Local IPv4 addresses and the ICE candidates made of them."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

import ifaddr


@dataclass(frozen=True)
class Candidate:
    """One host candidate as it goes into SDP."""

    host: str
    port: int
    priority: int

    def line(self, foundation: int) -> str:
        return f"a=candidate:{foundation} 1 udp {self.priority} {self.host} {self.port} typ host"


def local_ipv4() -> list[str]:
    """Every IPv4 address of this machine, loopback last."""
    found: list[str] = []
    for adapter in ifaddr.get_adapters():
        for ip in adapter.ips:
            if isinstance(ip.ip, str) and ip.ip not in found:
                found.append(ip.ip)
    if "127.0.0.1" not in found:
        found.append("127.0.0.1")
    return sorted(found, key=lambda a: ipaddress.ip_address(a).is_loopback)


def candidates(hosts: list[str], port: int) -> list[Candidate]:
    """Host candidates in order of preference (RFC 8445 section 5.1.2.1: type 126, component 1)."""
    return [Candidate(h, port, (126 << 24) | ((65535 - i) << 8) | 255) for i, h in enumerate(hosts)]
