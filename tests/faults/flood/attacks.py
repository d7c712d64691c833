"""The attackers, each in a process of its own: `python -m tests.faults.flood.attacks NAME PORT RTC_PORT SECONDS RATE`.

Every one prints how much it sent. Rates are per second; what the machine cannot do is not made up for.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import secrets
import socket
import struct
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import aiohttp
from livekit.protocol import rtc as sig

from tests.fuzz.media.live import packet as sctp_packet
from tests.support.light import LightParticipant
from tests.unit.media.gateway.client import token
from tests.unit.media.transport.test_stun import request as stun_request

HELLO = b"\x16\xfe\xfd" + bytes(10) + b"\x01" + os.urandom(120)


class Target:
    def __init__(self, port: int, rtc_port: int, seconds: float, rate: int) -> None:
        self.url, self.port, self.rtc_port = f"http://127.0.0.1:{port}", port, rtc_port
        self.seconds, self.rate = seconds, rate
        self._insiders: list[LightParticipant] = []
        self._strangers: list[socket.socket] = []

    async def paced(self, shot: Callable[[], object]) -> int:
        """Call it `rate` times a second until the time is over."""
        count, begin = 0, time.monotonic()
        while (passed := time.monotonic() - begin) < self.seconds:
            for _ in range(min(200, int(passed * self.rate) - count)):
                shot()
                count += 1
            await asyncio.sleep(0.001)
        return count

    async def insider(self, *, media: bool = True, single_pc: bool = True) -> LightParticipant:
        """An attacker with a valid token, in a room of its own."""
        robot = LightParticipant(f"m-{secrets.token_hex(3)}", self.url, self.rtc_port, single_pc=single_pc)
        self._insiders.append(robot)
        await robot.join(token(robot.identity, "den"), media=media)
        return robot

    def strangers(self) -> Iterator[socket.socket]:
        """Two hundred sockets on as many loopback addresses, in turn."""
        for number in range(200):
            sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            sock.bind((f"127.0.{number}.7", 0))
            sock.setblocking(False)
            self._strangers.append(sock)
        return itertools.cycle(self._strangers)

    async def close(self) -> None:
        for sock in self._strangers:
            sock.close()
        for robot in self._insiders:
            await robot.leave()


async def datagrams(target: Target, make: Callable[[], bytes]) -> int:
    senders, address = target.strangers(), ("127.0.0.1", target.rtc_port)

    def shot() -> None:
        try:
            next(senders).sendto(make(), address)
        except BlockingIOError:
            return

    return await target.paced(shot)


async def stun_unknown(target: Target) -> int:
    made = [stun_request(username=f"{secrets.token_hex(4)}:x") for _ in range(500)]
    turn = itertools.cycle(made)
    return await datagrams(target, lambda: next(turn))


async def stun_forged(target: Target) -> int:
    robot = await target.insider()
    forged = stun_request("wrong password", username=f"{robot.publisher.credentials[0]}:x")
    return await datagrams(target, lambda: forged)


async def dtls_unknown(target: Target) -> int:
    return await datagrams(target, lambda: HELLO)


async def dtls_insider(target: Target) -> int:
    """ClientHellos without end from paths that passed their check, no handshake ever finished."""
    robots = [await target.insider(media=False) for _ in range(20)]
    for robot in robots:
        transport = robot.publisher
        transport.server = ("127.0.0.1", target.rtc_port)
        transport.credentials = robot.remote
        transport.check()
    turn = itertools.cycle(robots)
    return await target.paced(lambda: next(turn).publisher.send(HELLO))


async def sctp(target: Target) -> int:
    """Fragments that never make a message, gaps, zero-length parameters, INITs."""
    robot = await target.insider()
    await asyncio.sleep(0.5)
    dtls: Any = robot.publisher.dtls.native
    numbers = itertools.count(2, 2)

    def chunk() -> bytes:
        number = next(numbers)
        kind = number // 2 % 4
        if kind == 0:
            return b"\x01\x00\x00\x14" + os.urandom(16)
        if kind == 1:
            return b"\x04\x00\x00\x08\x00\x01\x00\x00"
        body = struct.pack("!IHHI", number, number % 5, number & 0xFFFF, 53) + b"x" * 800
        return struct.pack("!BBH", 0, 2, 4 + len(body)) + body

    tag = robot.publisher.sctp._native._remote_verification_tag if robot.publisher.sctp is not None else 0

    def shot() -> None:
        dtls._ssl.send(sctp_packet(chunk(), tag))
        robot.publisher.send(dtls._ssl.bio_read(1500))

    return await target.paced(shot)


async def rtp_random(target: Target) -> int:
    robot = await target.insider()
    await robot.publish()
    return await target.paced(lambda: robot.send_rtp(secrets.randbits(31) | 1, 96, 0, os.urandom(60)))


async def rtcp(target: Target) -> int:
    """NACKs for everything, of a stream that is received, and what is no RTCP."""
    robot, publisher = await target.insider(), await target.insider()
    await publisher.publish()
    for _ in range(50):
        publisher.send_frame()
        await asyncio.sleep(0.02)
    ssrc = next(iter(robot.ssrcs), 1)
    lost = b"".join(struct.pack("!HH", n * 17 & 0xFFFF, 0xFFFF) for n in range(300))
    bomb = struct.pack("!BBHII", 0x81, 205, 2 + len(lost) // 4, 1, ssrc) + lost
    junk = struct.pack("!BBHII", 0x8F, 206, 300, 1, ssrc) + os.urandom(1200)
    turn = itertools.cycle([bomb, junk, b"\x81\xc9\x00\x01" + bytes(4)])
    return await target.paced(lambda: robot.subscriber.send_rtcp(next(turn)))


async def bad_tokens(target: Target) -> int:
    count = 0
    end = time.monotonic() + target.seconds

    async def one(http: aiohttp.ClientSession) -> None:
        nonlocal count
        while time.monotonic() < end:
            async with http.get(f"{target.url}/rtc", params={"access_token": token("x")[:-1] + "_"}) as response:
                await response.read()
            count += 1

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=100)) as http:
        await asyncio.gather(*(one(http) for _ in range(100)))
    return count


async def half_open(target: Target) -> int:
    """Connections that begin a request and go on no further, on both TCP ports."""
    opened: list[asyncio.StreamWriter] = []
    end = time.monotonic() + target.seconds
    for number in itertools.count():
        if time.monotonic() > end or number >= target.rate * target.seconds:
            break
        try:
            port = target.port if number % 2 else target.rtc_port
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET /rtc HTTP/1.1\r\nHost: x\r\nX-A: " if number % 2 else b"\x00\x20abc")
            opened.append(writer)
        except OSError:
            await asyncio.sleep(0.01)
    for writer in opened:
        writer.transport.abort()
    return len(opened)


async def huge_sdp(target: Target) -> int:
    robot = await target.insider()
    section = "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:{}\r\na=rtpmap:96 VP8/90000\r\n" + "a=fmtp:96 x=y\r\n" * 100
    text = "v=0\r\n" + "".join(section.format(n) for n in range(250))
    count, end = 0, time.monotonic() + target.seconds
    while time.monotonic() < end:
        try:
            async with asyncio.timeout(1):
                await robot.send(offer=sig.SessionDescription(type="offer", sdp=text, id=2))
            count += 1
        except (TimeoutError, ConnectionError):
            continue
    return count


ATTACKS: dict[str, tuple[Callable[[Target], Awaitable[int]], int]] = {
    "stun_unknown": (stun_unknown, 20000),
    "stun_forged": (stun_forged, 20000),
    "dtls_unknown": (dtls_unknown, 20000),
    "dtls_insider": (dtls_insider, 2000),
    "sctp": (sctp, 4000),
    "rtp_random": (rtp_random, 5000),
    "rtcp": (rtcp, 1000),
    "bad_tokens": (bad_tokens, 0),
    "half_open": (half_open, 1000),
    "huge_sdp": (huge_sdp, 0),
}
"""By name: what it does, and how often a second."""


async def main() -> None:
    name, port, rtc_port, seconds, rate = sys.argv[1], *map(int, sys.argv[2:6])
    attack, usual = ATTACKS[name]
    print(await attack(Target(port, rtc_port, seconds, rate or usual)), flush=True)
    os._exit(0)  # nobody leaves politely


if __name__ == "__main__":
    asyncio.run(main())
