"""What counts as one source of traffic when something is limited per source."""

from __future__ import annotations

import ipaddress
from typing import Final

_IPV6_PREFIX: Final = 64


def source(host: str | None) -> str:
    """What is limited together: an IPv4 address, or the /64 that one IPv6 customer has. "" for loopback and none."""
    try:
        address = ipaddress.ip_address((host or "").partition("%")[0])
    except ValueError:
        return ""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is None:
            prefix = ipaddress.ip_network((address, _IPV6_PREFIX), strict=False)
            return "" if address.is_loopback else str(prefix)
        address = address.ipv4_mapped
    return "" if address.is_loopback else str(address)
