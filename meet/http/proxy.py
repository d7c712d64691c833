"""Forwarded headers: whom to believe about the client's address, the scheme and the host (contract 1.7)."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final

from .call import Headers

Scope = Mapping[str, Any]
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_AUTHORITY: Final = re.compile(r"([A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(:[0-9]{1,5})?")


class TrustProxy:
    """`true` believes every hop, `false` none, a number that many hops, a subnet list the addresses in it.

    `trusted(address, hop)` is asked for the peer (hop 0) and then for the forwarded addresses from the nearest to the
    farthest; the first one not trusted is the client.

    Raises ValueError for a setting that is none of these.
    """

    def __init__(self, setting: bool | int | str = True) -> None:
        self._trusted = _predicate(setting)

    def client_ip(self, scope: Scope, headers: Headers) -> str:
        hops = [_peer(scope)]
        forwarded = headers.get("x-forwarded-for")
        if forwarded:
            hops += [part.strip() for part in reversed(forwarded.split(",")) if part.strip()]
        for hop, address in enumerate(hops):
            if not self._trusted(address, hop):
                return address
        return hops[-1]

    def origin(self, scope: Scope, headers: Headers) -> str:
        """Scheme and authority of the request as the client wrote it, default ports dropped."""
        scheme: str = scope.get("scheme", "http")
        host = headers.get("host") or _server(scope)
        if self._trusted(_peer(scope), 0):
            scheme = _first(headers.get("x-forwarded-proto")) or scheme
            host = _first(headers.get("x-forwarded-host")) or host
        return _origin(scheme, host) or _origin(scheme, _server(scope)) or f"{scheme}://{_server(scope)}"


@lru_cache(maxsize=256)
def _origin(scheme: str, host: str) -> str | None:
    """None for a host that is no authority: it goes into links that people are sent. Few hosts, many requests."""
    return without_default_port(f"{scheme}://{host}") if _AUTHORITY.fullmatch(host) else None


def without_default_port(origin: str) -> str:
    """`https://h:443` is `https://h`, `http://h:80` is `http://h`."""
    if origin.startswith("https://"):
        return origin.removesuffix(":443")
    return origin.removesuffix(":80")


def _predicate(setting: bool | int | str) -> Callable[[str, int], bool]:
    if isinstance(setting, str):
        text = setting.strip().lower()
        if text in ("true", "false"):
            return _predicate(text == "true")
        if text.isdigit():
            return _predicate(int(text))
        networks = tuple(ipaddress.ip_network(part.strip(), strict=False) for part in text.split(","))
        return lambda address, _hop: _within(address, networks)
    if isinstance(setting, bool):
        return lambda _address, _hop: setting
    hops = setting
    return lambda _address, hop: hop < hops


def _within(address: str, networks: tuple[_Network, ...]) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(parsed in network for network in networks)


def _peer(scope: Scope) -> str:
    client = scope.get("client")
    return client[0] if client else "127.0.0.1"


def _server(scope: Scope) -> str:
    host, port = scope.get("server") or ("localhost", None)
    return f"{host}:{port}" if port else str(host)


def _first(value: str | None) -> str | None:
    return value.split(",")[0].strip() or None if value else None
