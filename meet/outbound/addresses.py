"""Which addresses a server may be sent to by its users, and a resolver that knows no others (CWE-918)."""

from __future__ import annotations

import asyncio
import ipaddress
import socket

from aiohttp.abc import AbstractResolver, ResolveResult

_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class AddressRefused(OSError):
    """The host has no address outside of private, loopback and otherwise special networks."""


def is_public(text: str) -> bool:
    """False for addresses of this machine, its networks, and whatever IANA keeps from global use.

    Addresses that carry an IPv4 address inside are judged by that one, too."""
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        inside = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if inside is None and address in _NAT64:
            inside = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inside is not None:
            return is_public(str(inside))
    return address.is_global and not address.is_multicast


def is_literal(host: str) -> bool:
    """True for an IP address in the spelling that needs no resolver."""
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


class CheckedResolver(AbstractResolver):
    """The system's resolver without the addresses that are not public. Raises AddressRefused when none is left.

    Unusual spellings of addresses (`0x7f.1`, `2130706433`) are names to the client and end up here, too."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, family=family, flags=socket.AI_ADDRCONFIG)
        public = [(kind, where) for kind, _, _, _, where in found if is_public(str(where[0]))]
        if not public:
            raise AddressRefused(f"{host} is not a public address")
        return [
            ResolveResult(
                hostname=host,
                host=str(where[0]),
                port=port,
                family=kind,
                proto=0,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for kind, where in public
        ]

    async def close(self) -> None:
        """Nothing is kept open."""
