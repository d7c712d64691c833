"""Local addresses and the ICE candidates made of them."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

import ifaddr


@dataclass(frozen=True)
class Candidate:
    """One host candidate as it goes into SDP. tcp: the client connects, we wait (RFC 6544)."""

    host: str
    port: int
    priority: int
    tcp: bool = False

    def line(self, foundation: int) -> str:
        protocol, end = ("tcp", " tcptype passive") if self.tcp else ("udp", "")
        return f"a=candidate:{foundation} 1 {protocol} {self.priority} {self.host} {self.port} typ host{end}"


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


def local_ipv6() -> list[str]:
    """Every IPv6 address of this machine that is not link-local, loopback last."""
    found = {str(ip.ip[0]) for adapter in ifaddr.get_adapters() for ip in adapter.ips if isinstance(ip.ip, tuple)}
    usable = [a for a in found if not ipaddress.IPv6Address(a).is_link_local]
    return sorted(usable, key=lambda a: (ipaddress.IPv6Address(a).is_loopback, a))


def candidates(hosts: list[str], port: int, *, tcp: bool = False) -> list[Candidate]:
    """Host candidates in order of preference (RFC 8445 section 5.1.2.1: type 126, component 1).

    tcp: the same addresses over TCP follow, less preferred by type (RFC 6544 section 4.2).
    """
    found = [Candidate(h, port, (126 << 24) | ((65535 - i) << 8) | 255) for i, h in enumerate(hosts)]
    if tcp:
        # Direction preference 4 (passive) in the upper three bits of the local preference.
        found += [Candidate(h, port, (90 << 24) | ((4 << 13 | 8191 - i) << 8) | 255, True) for i, h in enumerate(hosts)]
    return found
