"""Posts webhooks (contract 5.4, 5.5): 5 seconds, no redirects, no private addresses unless that is allowed."""

from __future__ import annotations

import errno
import socket
from collections.abc import Mapping
from typing import Final

import aiohttp
from yarl import URL

from meet.core.model.webhook import WebhookReply
from meet.core.webhook_ports import NotDelivered

from .addresses import AddressRefused, CheckedResolver, is_literal, is_public

_TIMEOUT_S: Final = 5.0
_REFUSED: Final = (
    "Connection failed: private and loopback addresses are refused unless MEET_WEBHOOK_ALLOW_PRIVATE=true is set"
)


class WebhookSender:
    """Implements `meet.core.webhook_ports.WebhookTransport`. `allow_private`: receivers in one's own network are fine.

    Must be made inside a running event loop."""

    def __init__(self, *, allow_private: bool = False, timeout_s: float = _TIMEOUT_S) -> None:
        self._allow_private = allow_private
        self._timeout_s = timeout_s
        resolver = None if allow_private else CheckedResolver()
        # No connection is kept: the next request resolves and checks again.
        connector = aiohttp.TCPConnector(resolver=resolver, use_dns_cache=False, limit=0, force_close=True)
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=timeout_s),
            headers={"User-Agent": "meet-webhook"},
            trust_env=False,
        )

    async def close(self) -> None:
        """Drop the connections."""
        await self._session.close()

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> WebhookReply:
        """One attempt. Raises NotDelivered with the reason of contract 5.5."""
        target = self._target(url)
        try:
            async with self._session.post(target, data=body, headers=headers, allow_redirects=False) as response:
                return WebhookReply(response.status, response.reason or "")
        except TimeoutError:
            raise NotDelivered(f"Request timed out after {self._timeout_s:g} seconds") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise NotDelivered(_reason(error)) from None

    def _target(self, url: str) -> URL:
        try:
            target = URL(url)
            host, scheme = target.host, target.scheme
        except ValueError:
            raise NotDelivered("Connection failed: not a usable URL") from None
        if not host or scheme not in ("http", "https"):
            raise NotDelivered("Connection failed: not a usable URL")
        # The client connects to a literal address without asking the resolver.
        if not self._allow_private and is_literal(host) and not is_public(host):
            raise NotDelivered(_REFUSED)
        return target


def _reason(error: Exception) -> str:
    """The words of contract 5.5. Addresses that a name resolves to are not told."""
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    if isinstance(cause, AddressRefused):
        return _REFUSED
    if isinstance(error, aiohttp.ClientConnectorDNSError) or isinstance(cause, socket.gaierror):
        return "Domain name could not be resolved"
    if isinstance(error, aiohttp.ClientSSLError | aiohttp.ServerFingerprintMismatch):
        return "SSL/TLS certificate error"
    if isinstance(cause, ConnectionRefusedError):
        return "Connection refused by server"
    if isinstance(cause, ConnectionResetError | BrokenPipeError | aiohttp.ServerDisconnectedError):
        return "Connection reset by server"
    if isinstance(cause, OSError) and cause.errno in (errno.ECONNRESET, errno.EPIPE):  # aiohttp wraps it in its own
        return "Connection reset by server"
    if isinstance(cause, OSError):
        return f"Network error: {errno.errorcode.get(cause.errno or 0, type(cause).__name__)}"
    return f"Connection failed: {type(error).__name__}"
