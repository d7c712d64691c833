"""Rate limits: fixed windows per client address (contract 1.6)."""

from __future__ import annotations

import ipaddress
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from .call import Call
from .errors import HttpError

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

_MOST_CLIENTS = 100_000
"""Windows kept per limiter. Beyond that the oldest goes: a flood of addresses costs memory once, and no more."""


class RateLimiter(Protocol):
    """Asked before anything else about a request whose operation names limiters in `x-rate-limit`."""

    async def check(self, call: Call, limiters: tuple[str, ...]) -> Mapping[str, str]:
        """Headers to add to the answer, whatever that will be. Raises HttpError 429 when a limit is exceeded."""
        ...

    def done(self, call: Call, limiters: tuple[str, ...], status: int) -> None:
        """The request that `check` let pass was answered with `status`."""
        ...


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `most` requests in `window_s` seconds.

    `exempt_header`: requests that carry this header (any value) are not counted. `forgive_success`: answers below 400
    are taken back off the count, as for logins. `shared`: counts also where many people are behind one address; those
    limits that keep somebody from trying passwords.
    """

    window_s: int
    most: int
    message: str = "Too many requests, please try again later"
    exempt_header: str | None = None
    forgive_success: bool = False
    shared: bool = False


@dataclass(slots=True)
class _Window:
    ends: float
    used: int = 0


class FixedWindows:
    """RateLimiter that counts in this process. A limiter name without a limit in `limits` limits nothing.

    shared: networks whose addresses are not one client each; only limits with `shared` count there."""

    def __init__(
        self,
        limits: Mapping[str, Limit],
        clock: Callable[[], float] = time.monotonic,
        *,
        shared: Collection[Network] = (),
    ) -> None:
        self._limits = dict(limits)
        self._shared = tuple(shared)
        self._clock = clock
        # Windows of one limiter have one length, so they end in the order in which they began.
        self._windows: dict[str, OrderedDict[str, _Window]] = {name: OrderedDict() for name in limits}

    async def check(self, call: Call, limiters: tuple[str, ...]) -> Mapping[str, str]:
        headers: dict[str, str] = {}
        for name, limit in self._applying(call, limiters):
            window = self._window(name, call.client_ip, limit)
            window.used += 1
            # Header names and values follow draft-ietf-httpapi-ratelimit-headers-07.
            reset = max(0, math.ceil(window.ends - self._clock()))
            remaining = max(0, limit.most - window.used)
            headers["RateLimit"] = f"limit={limit.most}, remaining={remaining}, reset={reset}"
            headers["RateLimit-Policy"] = f"{limit.most};w={limit.window_s}"
            if window.used > limit.most:
                refused = {**headers, "Retry-After": str(reset)}
                raise HttpError(429, "Too Many Requests", limit.message, headers=refused)
        return headers

    def done(self, call: Call, limiters: tuple[str, ...], status: int) -> None:
        for name, limit in self._applying(call, limiters):
            if limit.forgive_success and status < 400:
                window = self._window(name, call.client_ip, limit)
                window.used = max(0, window.used - 1)

    def _applying(self, call: Call, limiters: tuple[str, ...]) -> list[tuple[str, Limit]]:
        named = ((name, self._limits[name]) for name in limiters if name in self._limits)
        applying = [(name, limit) for name, limit in named if not _exempt(call, limit)]
        if self._shared and not all(limit.shared for _, limit in applying) and self._is_shared(call.client_ip):
            return [(name, limit) for name, limit in applying if limit.shared]
        return applying

    def _is_shared(self, client: str) -> bool:
        try:
            address = ipaddress.ip_address(client.partition("%")[0])
        except ValueError:
            return False
        address = getattr(address, "ipv4_mapped", None) or address
        return any(address in network for network in self._shared)

    def _window(self, name: str, client: str, limit: Limit) -> _Window:
        now = self._clock()
        windows, key = self._windows[name], _network(client)
        window = windows.get(key)
        if window is None or window.ends <= now:
            windows.pop(key, None)
            while windows and (len(windows) >= _MOST_CLIENTS or next(iter(windows.values())).ends <= now):
                windows.popitem(last=False)
            window = windows[key] = _Window(now + limit.window_s)
        return window


def _network(client: str) -> str:
    """What counts as one client: an IPv4 address, or the /64 that an IPv6 host can choose its addresses from."""
    if ":" not in client:
        return client
    try:
        address = ipaddress.IPv6Address(client.partition("%")[0])
    except ValueError:
        return client
    return str(address.ipv4_mapped) if address.ipv4_mapped else str(int(address) >> 64)


def _exempt(call: Call, limit: Limit) -> bool:
    return limit.exempt_header is not None and limit.exempt_header in call.headers
