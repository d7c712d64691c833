"""An unmodified Firefox driven over WebDriver BiDi, which it speaks itself (https://w3c.github.io/webdriver-bidi/)."""

from __future__ import annotations

import asyncio
import itertools
import json
import re
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aiohttp

PATH = shutil.which("firefox-esr") or shutil.which("firefox")
_PREFERENCES = {
    "media.navigator.streams.fake": True,
    "media.navigator.permission.disabled": True,
    "media.autoplay.default": 0,
    "media.autoplay.blocking_policy": 0,
    "media.autoplay.block-webaudio": False,
    "media.peerconnection.ice.loopback": True,
    "app.normandy.enabled": False,
    "app.update.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "media.gmp-manager.updateEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "services.settings.server": "data:,#remote-settings-dummy/v1",
    "toolkit.telemetry.reportingpolicy.firstRun": False,
}
_START_S, _CALL_S = 60.0, 60.0


class ScriptError(Exception):
    """The page's script threw; the text is what it threw."""


class Firefox:
    """`async with Firefox() as firefox: page = await firefox.new_page(url)`.

    desktop: the environment of a screen with a loudspeaker (tests.support.desktop) to be on; without one it is headless
    and cannot play what has no picture.
    """

    def __init__(self, desktop: Mapping[str, str] | None = None) -> None:
        self._desktop = desktop

    async def __aenter__(self) -> Firefox:
        assert PATH is not None, "no Firefox: tools/apt-install firefox-esr"
        self._profile = tempfile.TemporaryDirectory(prefix="firefox-", ignore_cleanup_errors=True)
        lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in _PREFERENCES.items()]
        (Path(self._profile.name) / "user.js").write_text("\n".join(lines))
        self._process = await asyncio.create_subprocess_exec(
            *(PATH, *(() if self._desktop else ("--headless",)), "--no-remote", "--profile", self._profile.name),
            *("--remote-debugging-port", "0", "about:blank"),
            env=self._desktop,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        self._http = aiohttp.ClientSession()
        async with asyncio.timeout(_START_S):
            self._socket = await self._http.ws_connect(f"{await self._address()}/session", max_msg_size=0)
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._reading = asyncio.create_task(self._read())
        await self.call("session.new", capabilities={})
        return self

    async def __aexit__(self, *_: object) -> None:
        self._reading.cancel()
        await self._socket.close()
        await self._http.close()
        self._process.terminate()
        await self._draining
        await self._process.wait()
        self._profile.cleanup()

    async def _address(self) -> str:
        assert self._process.stderr is not None
        while line := await self._process.stderr.readline():
            found = re.search(rb"WebDriver BiDi listening on (ws://\S+)", line)
            if found:
                self._draining = asyncio.create_task(self._process.stderr.read())
                return found[1].decode()
        raise AssertionError("Firefox ended before it listened")

    async def _read(self) -> None:
        async for message in self._socket:
            answer = json.loads(message.data)
            waiting = self._waiting.pop(answer.get("id"), None)
            if waiting is not None and not waiting.done():
                waiting.set_result(answer)

    async def call(self, method: str, **params: Any) -> Any:
        """One BiDi command; its result. Raises AssertionError with the browser's message."""
        number = next(self._numbers)
        waiting = self._waiting[number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": number, "method": method, "params": params})
        answer = await asyncio.wait_for(waiting, _CALL_S)
        assert answer["type"] == "success", answer
        return answer["result"]

    async def new_page(self, url: str) -> FirefoxPage:
        context = (await self.call("browsingContext.create", type="tab"))["context"]
        await self.call("browsingContext.navigate", context=context, url=url, wait="complete")
        return FirefoxPage(self, context)


class FirefoxPage:
    """The part of Playwright's Page that the tests use."""

    def __init__(self, firefox: Firefox, context: str) -> None:
        self._firefox, self._context = firefox, context

    async def evaluate(self, expression: str, arg: Any = None) -> Any:
        """Value of an expression, or of a function called with `arg`; JSON values only."""
        source = (
            "async text => { const [source, argument] = JSON.parse(text); let value = (0, eval)(`(${source})`);"
            " if (typeof value === 'function') value = value(argument);"
            " return JSON.stringify(await value) ?? null; }"
        )
        result = await self._firefox.call(
            "script.callFunction",
            functionDeclaration=source,
            arguments=[{"type": "string", "value": json.dumps([expression, arg])}],
            target={"context": self._context},
            awaitPromise=True,
            userActivation=True,
        )
        if result["type"] != "success":
            raise ScriptError(result["exceptionDetails"]["text"])
        text = result["result"].get("value")
        return None if text is None else json.loads(text)
