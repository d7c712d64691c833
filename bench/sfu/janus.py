"""Debian's janus under the same load: `python -m bench.sfu.janus` (as root). Prints JSON.

The video room, ICE-lite, one room: every publisher sends Opus and VP8 over a peer connection of its own, every
subscriber has one peer connection with all streams. janus does not use loopback addresses, so it runs in a network
namespace with an address of its own; packets take the same way through the kernel as on loopback.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import aiohttp
import psutil
from aioice import stun

from bench.sfu.load import Source, drive
from meet.media.sdp.parse import Section, parse
from meet.media.transport.stun import binding_response, parse_binding_request
from tests.support.light.transport import LightTransport

_ADDRESS = "10.77.0.1"
_PORT = 8188
_PRIORITY = 2130706431
_INSIDE = "MEET_BENCH_NAMESPACE"
_TWCC = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"


class Client(LightTransport):
    """A peer connection to janus; its socket is handed to the load when it is up."""

    @property
    def lines(self) -> list[str]:
        host, port = self._socket.getsockname()[:2]
        return [*super().lines, f"a=candidate:1 1 udp {_PRIORITY} {host} {port} typ host", "a=end-of-candidates"]

    def check(self, *, password: str = "") -> None:
        """As the base does, with what libnice wants to see as well."""
        message = stun.Message(message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST)
        message.attributes["USERNAME"] = f"{self.credentials[0]}:{self.ufrag}"
        message.attributes["PRIORITY"] = _PRIORITY
        message.attributes["ICE-CONTROLLING"] = 1
        message.attributes["USE-CANDIDATE"] = None
        message.add_message_integrity((password or self.credentials[1]).encode())
        self.send(bytes(message))

    def _readable(self) -> None:
        for _ in range(64):
            try:
                data = self._socket.recv(2048)
            except OSError:
                return
            if data[0] < 4:
                self._answered.set()
                request = parse_binding_request(data)  # libnice checks the pair itself, lite or not
                if request is not None and request.authentic(self.pwd):
                    self.send(binding_response(request.transaction_id, *self.server, self.pwd))
            elif 20 <= data[0] < 64:
                self.dtls.feed(data)

    def take(self) -> socket.socket:
        for task in self._tasks:
            task.cancel()
        self._loop.remove_reader(self._socket.fileno())
        return self._socket

    @property
    def profile(self) -> str:
        name: bytes = self.dtls.native._ssl.get_selected_srtp_profile()  # type: ignore[union-attr]
        return name.decode()


class Janus:
    """The API over its WebSocket: one request at a time, on many handles of one session."""

    def __init__(self, socket_: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket_
        self._session = 0

    async def request(self, kind: str, handle: int = 0, **body: Any) -> dict[str, Any]:
        """Send, and return the reply; for `message` the event that follows, with its `jsep`. Raises RuntimeError."""
        transaction = secrets.token_hex(6)
        sent = {"janus": kind, "transaction": transaction} | body
        if self._session:
            sent["session_id"] = self._session
        if handle:
            sent["handle_id"] = handle
        await self._socket.send_json(sent)
        while True:
            reply: dict[str, Any] = await asyncio.wait_for(self._socket.receive_json(), 20)
            if reply.get("transaction") != transaction or reply["janus"] == "ack":
                continue
            if reply["janus"] == "error" or "error" in reply.get("plugindata", {}).get("data", {}):
                raise RuntimeError(f"janus refused {kind}: {reply}")
            return reply

    async def open(self) -> None:
        self._session = (await self.request("create"))["data"]["id"]

    async def attach(self) -> int:
        reply = await self.request("attach", plugin="janus.plugin.videoroom")
        return int(reply["data"]["id"])

    async def message(self, handle: int, body: dict[str, Any], sdp: tuple[str, str] | None = None) -> dict[str, Any]:
        jsep = {"jsep": {"type": sdp[0], "sdp": sdp[1], "trickle": False}} if sdp else {}
        return await self.request("message", handle, body=body, **jsep)


def _description(sections: list[list[str]], bundle: list[str]) -> str:
    head = ["v=0", "o=- 1 1 IN IP4 0.0.0.0", "s=-", "t=0 0", f"a=group:BUNDLE {' '.join(bundle)}"]
    return "\r\n".join(head + [line for section in sections for line in section]) + "\r\n"


def _offer(client: Client, source: Source) -> str:
    audio, video = (
        [
            f"m={kind} 9 UDP/TLS/RTP/SAVPF {pt}",
            *client.lines,
            *("a=setup:active", "a=rtcp-mux", f"a=mid:{mid}", "a=sendonly"),
            f"a=rtpmap:{pt} {codec}",
            f"a=extmap:4 {_TWCC}",
            f"a=rtcp-fb:{pt} transport-cc",
            f"a=ssrc:{ssrc} cname:bench",
        ]
        for kind, pt, mid, codec, ssrc in (
            ("audio", 111, "0", "opus/48000/2", source.audio_ssrc),
            ("video", 96, "1", "VP8/90000", source.video_ssrc),
        )
    )
    return _description([audio, video], ["0", "1"])


def _answer(client: Client, offered: list[Section]) -> str:
    sections = []
    for section in offered:
        pt = section.formats[0]
        codec = section.codecs[int(pt)]
        sections.append(
            [
                f"m={section.kind} 9 UDP/TLS/RTP/SAVPF {pt}",
                *client.lines,
                *("a=setup:active", "a=rtcp-mux", f"a=mid:{section.mid}", "a=recvonly"),
                codec.line(int(pt)),
            ]
        )
    return _description(sections, [section.mid for section in offered])


async def _connect(client: Client, sdp: str) -> None:
    match = re.search(rf"a=candidate:\S+ 1 udp \d+ {re.escape(_ADDRESS)} (\d+) typ host", sdp, re.IGNORECASE)
    assert match is not None, "janus offered no candidate"
    client.start(parse(sdp)[0], int(match[1]))
    await asyncio.wait_for(client.up.wait(), 30)


async def _room(janus: Janus, publishers: int, subscribers: int) -> tuple[list[Client], list[Source], list[Client]]:
    keeper = await janus.attach()
    created = await janus.message(keeper, {"request": "create", "publishers": publishers, "bitrate": 0})
    room = created["plugindata"]["data"]["room"]
    senders, sources, feeds = [], [], []
    for index in range(publishers):
        handle, client = await janus.attach(), Client(host=_ADDRESS)
        joined = await janus.message(handle, {"request": "join", "ptype": "publisher", "room": room})
        feeds.append(joined["plugindata"]["data"]["id"])
        source = Source(client._socket, None, (_ADDRESS, 0), 1000 + index, 2000 + index)
        answer = await janus.message(handle, {"request": "publish"}, ("offer", _offer(client, source)))
        await _connect(client, answer["jsep"]["sdp"])
        source.srtp, source.target = client.tx, client.server
        senders.append(client)
        sources.append(source)
    receivers = []
    for _ in range(subscribers):
        handle, client = await janus.attach(), Client(host=_ADDRESS)
        wanted = {"request": "join", "ptype": "subscriber", "room": room, "streams": [{"feed": feed} for feed in feeds]}
        offer = (await janus.message(handle, wanted))["jsep"]["sdp"]
        await janus.message(handle, {"request": "start"}, ("answer", _answer(client, parse(offer))))
        await _connect(client, offer)
        receivers.append(client)
    return senders, sources, receivers


def _configure(folder: Path) -> None:
    plugins = next(Path("/usr/lib").glob("*/janus/plugins"))
    (folder / "janus.jcfg").write_text(
        f"""general: {{ configs_folder = "{folder}", plugins_folder = "{plugins}",
        transports_folder = "{plugins.parent / "transports"}", debug_level = 3 }}
        nat: {{ ice_lite = true, full_trickle = false }}
        plugins: {{ disable = "{",".join(p.name for p in plugins.glob("*.so") if "videoroom" not in p.name)}" }}
        transports: {{ disable = "{
            ",".join(p.name for p in plugins.parent.glob("transports/*.so") if "websockets" not in p.name)
        }" }}
        """
    )
    (folder / "janus.transport.websockets.jcfg").write_text(
        f'general: {{ json = "compact", ws = true, ws_port = {_PORT}, ws_ip = "127.0.0.1", wss = false }}'
    )


async def measure(publishers: int, subscribers: int, seconds: float) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _configure(folder)
        with (folder / "log").open("w") as log:
            server = await asyncio.create_subprocess_exec(
                "janus", "-F", name, "-C", f"{name}/janus.jcfg", stdout=log, stderr=log
            )
        try:
            return await _load(psutil.Process(server.pid), publishers, subscribers, seconds)
        except Exception:
            sys.stderr.write((folder / "log").read_text()[-3000:])
            raise
        finally:
            server.kill()
            await server.wait()


async def _load(server: psutil.Process, publishers: int, subscribers: int, seconds: float) -> dict[str, object]:
    async with aiohttp.ClientSession() as http:
        for _ in range(100):
            try:
                connection = await http.ws_connect(f"ws://127.0.0.1:{_PORT}", protocols=["janus-protocol"])
                break
            except aiohttp.ClientError:
                await asyncio.sleep(0.1)
        else:
            raise RuntimeError("janus did not start")
        janus = Janus(connection)
        await janus.open()
        senders, sources, receivers = await _room(janus, publishers, subscribers)
        profile = receivers[0].profile
        for client in senders:
            client.take()
        sinks = [(client.take(), client.rx) for client in receivers]

        def cpu() -> float:
            times = server.cpu_times()
            return float(times.user + times.system)

        outcome = drive(sources, sinks, seconds, cpu)
        (arrived, before), (until, after) = outcome.window
        span = seconds - 2.0
        return {
            "cpu_us": (after - before) / max(1, until - arrived) * 1e6,
            "rate": (until - arrived) / span,
            "core": (after - before) / span,
            "expected": outcome.sent * subscribers,
            "arrived": outcome.arrived,
            "delay_ms": outcome.delay,
            "late_ms": outcome.late,
            "profile": profile,
        }


def _namespace() -> None:
    """Start again in a network namespace whose only address that janus takes is on a pair of virtual cards."""
    unshare, ip = shutil.which("unshare"), shutil.which("ip", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if shutil.which("janus") is None or unshare is None or ip is None or os.geteuid():
        raise SystemExit("needs root, janus, unshare and ip")
    if _INSIDE not in os.environ:
        arguments = [unshare, "--net", sys.executable, "-m", "bench.sfu.janus", *sys.argv[1:]]
        os.execve(unshare, arguments, os.environ | {_INSIDE: "1"})
    for command in (
        "link set lo up",
        "link add meet0 type veth peer name meet1",
        f"addr add {_ADDRESS}/24 dev meet0",
        "link set meet0 up",
        "link set meet1 up",
    ):
        subprocess.run([ip, *command.split()], check=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--publishers", type=int, default=16)
    parser.add_argument("--subscribers", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=8.0)
    arguments = parser.parse_args()
    _namespace()
    print(json.dumps(asyncio.run(measure(arguments.publishers, arguments.subscribers, arguments.seconds))))


if __name__ == "__main__":
    main()
