"""Ports, and what answers on them."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterator
from http import HTTPStatus
from typing import Final

import httpx

from meet import credentials
from meet.config import Settings
from meet.core.errors import MediaServerError, MediaServerUnavailable
from meet.doctor.report import Finding, fail, ok, warn
from meet.livekit import LiveKitMediaServer
from meet.supervisor import lock
from meet.supervisor.address import Address
from meet.supervisor.run import PortInUse, ports, try_port
from meet.tls import trust_own

_UDP_WAIT_S: Final = 0.3
_TCP_WAIT_S: Final = 5


def check(settings: Settings, running: Address | None) -> Iterator[Finding]:
    """The running server answers on its ports, or they are free for it. Those of one that is starting are let alone."""
    if running is None:
        if lock.holder(settings.data_dir) is None:
            yield from _free_ports(settings)
    else:
        yield from _backend(settings)
        if settings.livekit_embedded:
            for port in range(settings.rtc_port, settings.rtc_port + settings.media_workers):
                yield _udp(port)
                if settings.rtc_tcp:
                    yield _tcp(port)
        if settings.metrics_port is not None:
            yield _metrics(settings)
        if settings.livekit_public_url:
            yield _public(settings)
    if running is not None or not settings.livekit_embedded:
        yield _media_server(settings)


def _free_ports(settings: Settings) -> Iterator[Finding]:
    for port in ports(settings):
        number = port.number(settings)
        protocol = "UDP" if port.kind == socket.SOCK_DGRAM else "TCP"
        if number == 0:
            yield ok("port", f"{protocol}: any free one ({port.option} 0)")
            continue
        try:
            try_port(port, number)
        except PortInUse as error:
            yield fail("port", f"{protocol} {error}", "or end the program that has it: `ss -tulpn` names it")
        else:
            yield ok("port", f"{protocol} {number} is free")


def _backend(settings: Settings) -> Iterator[Finding]:
    url = settings.backend_url
    try:
        response = httpx.get(f"{url}/readyz", verify=_tls(settings) or True, timeout=10, trust_env=False)
        checks: dict[str, str] = response.json()["checks"]
    except (httpx.HTTPError, ValueError, KeyError) as error:
        yield fail("port", f"TCP {settings.port}: {url} does not answer as it should: {error}", "see the server's log")
        return
    yield ok("port", f"TCP {settings.port} is our server's")
    bad = [f"{name} ({outcome})" for name, outcome in checks.items() if outcome != "ok"]
    if bad:
        yield fail("readiness", f"the server reports trouble with {', '.join(bad)}", "see the other lines, and its log")
    else:
        yield ok("readiness", f"the server can use {', '.join(checks)}")


def _udp(port: int) -> Finding:
    """A datagram to a closed port is answered with ICMP, which a connected socket reports; an open one says nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.settimeout(_UDP_WAIT_S)
        try:
            probe.connect(("127.0.0.1", port))
            probe.send(b"\x00" * 20)
            probe.recv(64)
        except TimeoutError:
            pass
        except ConnectionRefusedError:
            advice = "nothing receives media there: see the log of the media server, and MEET_RTC_HOST"
            return fail("media port", f"UDP {port} is closed on 127.0.0.1", advice)
        except OSError as error:
            advice = "let UDP through the firewall of this machine"
            return fail("media port", f"UDP {port} cannot be reached on 127.0.0.1: {error}", advice)
    return ok("media port", f"UDP {port} receives on 127.0.0.1")


def _tcp(port: int) -> Finding:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=_TCP_WAIT_S).close()
    except OSError as error:
        advice = "people behind firewalls without UDP cannot join: see the log of the media server, and MEET_RTC_HOST"
        return fail("media port", f"TCP {port} cannot be reached on 127.0.0.1: {error}", advice)
    return ok("media port", f"TCP {port} receives on 127.0.0.1")


def _metrics(settings: Settings) -> Finding:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.metrics_host, settings.metrics_host)
    url = f"http://{f'[{host}]' if ':' in host else host}:{settings.metrics_port}/metrics"
    try:
        httpx.get(url, timeout=10, trust_env=False).raise_for_status()
    except httpx.HTTPError as error:
        advice = "see the server's log, and MEET_METRICS_HOST and MEET_METRICS_PORT"
        return fail("metrics port", f"{url} does not answer as it should: {error}", advice)
    return ok("metrics port", f"{url} answers")


def _public(settings: Settings) -> Finding:
    """What clients are told leads to our media server, as far as that can be seen from here."""
    url = settings.livekit_public_url
    if url.startswith("ws://") and settings.base_url.startswith("https://"):
        advice = "browsers connect pages that came by HTTPS to wss:// only: correct MEET_LIVEKIT_PUBLIC_URL"
        return fail("public media", f"{url} is not encrypted, although {settings.base_url} is", advice)
    try:
        asked = f"http{url.removeprefix('ws')}/rtc/validate"
        status = httpx.get(asked, verify=ssl.create_default_context(), timeout=10, trust_env=False).status_code
    except httpx.HTTPError as error:
        advice = "check MEET_LIVEKIT_PUBLIC_URL and the proxy; a public address may be out of reach from inside"
        return warn("public media", f"{url} cannot be reached from here: {error}", advice)
    if status != HTTPStatus.UNAUTHORIZED:  # as our media server answers who brings no token
        advice = f"have the proxy pass /rtc on to port {settings.livekit_port}, or correct MEET_LIVEKIT_PUBLIC_URL"
        return fail("public media", f"{url} does not lead to the media server: {asked} answers {status}", advice)
    return ok("public media", f"{url} leads to the media server")


def _media_server(settings: Settings) -> Finding:
    url = settings.livekit_url_private
    known = credentials.known(settings)
    if not known.livekit_api_secret:
        advice = "set LIVEKIT_API_KEY and LIVEKIT_API_SECRET as the server has them, to have this checked"
        return warn("media server", f"{url}: the key is not known here", advice)
    try:
        rooms = asyncio.run(_rooms(known))
    except MediaServerUnavailable:
        where = "see the log of the server" if settings.livekit_embedded else "check LIVEKIT_URL_PRIVATE or LIVEKIT_URL"
        return fail("media server", f"{url} does not answer", f"{where}; nobody can join a meeting")
    except MediaServerError as error:
        advice = "check LIVEKIT_API_KEY and LIVEKIT_API_SECRET: they must be those of the media server"
        return fail("media server", f"{url} refuses our requests: {error}", advice)
    return ok("media server", f"{url} takes our key; {rooms} meeting(s) at the moment")


async def _rooms(settings: Settings) -> int:
    server = LiveKitMediaServer(
        settings.livekit_url_private, settings.livekit_api_key, settings.livekit_api_secret, tls=_tls(settings)
    )
    try:
        return len(await server.list_rooms())
    finally:
        await server.close()


def _tls(settings: Settings) -> ssl.SSLContext | None:
    return trust_own(settings.tls_cert) if settings.tls_cert is not None and settings.livekit_embedded else None
