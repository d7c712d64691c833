"""The rate limits of contract 1.6, under the names that operations carry in `x-rate-limit`."""

from __future__ import annotations

from collections.abc import Collection
from ipaddress import IPv4Network, IPv6Network
from typing import Final

from meet.http import FixedWindows, Limit

LIMITS: Final = {
    "login": Limit(300, 5, "Too many login attempts, please try again later", forgive_success=True, shared=True),
    "sensitive": Limit(300, 20, "Too many requests for this operation, please try again later", shared=True),
    "auth": Limit(60, 30, "Too many authentication requests, please try again later"),
    "token": Limit(60, 60, "Too many token requests, please try again later"),
    "api": Limit(60, 120, exempt_header="X-API-KEY"),
    "static": Limit(60, 300),
}


def rate_limiter(shared: Collection[IPv4Network | IPv6Network] = ()) -> FixedWindows:
    """Counts in this process. shared: networks whose addresses stand for many people."""
    return FixedWindows(LIMITS, shared=shared)
