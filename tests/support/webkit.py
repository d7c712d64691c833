"""A real WebKit: WebKitGTK's MiniBrowser, driven by the W3C WebDriver protocol (https://www.w3.org/TR/webdriver2/)."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
from pathlib import Path
from typing import Any

import aiohttp

from tests.support.desktop import PROGRAMS, desktop
from tests.support.ports import free_port
from tests.support.processes import running

PACKAGES = (
    *("webkit2gtk-driver", "libwebkit2gtk-4.1-0", "gstreamer1.0-libav", "gstreamer1.0-plugins-base"),
    *("gstreamer1.0-plugins-good", "gstreamer1.0-plugins-bad", "xvfb", "pulseaudio"),
)
"""Debian's names of what has to be installed."""
_BROWSERS = sorted(Path("/usr/lib").glob("*/webkit2gtk-4.1/MiniBrowser"))
PATH = _BROWSERS[0] if _BROWSERS and all(map(shutil.which, ("WebKitWebDriver", *PROGRAMS))) else None
"""The browser, None when something of PACKAGES is missing."""
_START_S, _SCRIPT_S = 30.0, 45.0
_EVALUATE = """
const [text, done] = arguments;
(async () => {
  let value = (EXPRESSION);
  if (typeof value === 'function') value = value(JSON.parse(text));
  return JSON.stringify(await value) ?? null;
})().then((value) => done([true, value]), (error) => done([false, `${error?.message ?? error}`]));
"""


class ScriptError(Exception):
    """The page's script threw; the text is what it threw."""


class WebKit:
    """`async with WebKit() as webkit: page = await webkit.new_page(url)`; one page at a time.

    hls: with GStreamer's HLS player, which WebKitGTK keeps switched off and Safari has. options: of MiniBrowser.
    """

    def __init__(self, *options: str, hls: bool = False) -> None:
        self._options = ("--automation", "--autoplay-policy=allow", *options)
        self._hls = hls
        self._stack = contextlib.AsyncExitStack()

    async def __aenter__(self) -> WebKit:
        assert PATH is not None, f"no WebKit: tools/apt-install {' '.join(PACKAGES)}"
        try:
            environment = await self._stack.enter_async_context(desktop())
            if self._hls:
                environment["WEBKIT_GST_ENABLE_HLS_SUPPORT"] = "1"
            port = free_port()
            driver = ("WebKitWebDriver", "--host=127.0.0.1", f"--port={port}")
            await self._stack.enter_async_context(running(*driver, env=environment))
            self._http = await self._stack.enter_async_context(aiohttp.ClientSession(f"http://127.0.0.1:{port}"))
            await self._listening()
            browser = {"binary": str(PATH), "args": list(self._options)}
            wanted = {"capabilities": {"alwaysMatch": {"webkitgtk:browserOptions": browser}}}
            session = await self._call("POST", "/session", wanted)
            self._session = f"/session/{session['sessionId']}"
            self._stack.push_async_callback(self._call, "DELETE", self._session)
            self.version = str(session["capabilities"]["browserVersion"])
            await self.call("POST", "/timeouts", {"script": round(_SCRIPT_S * 1000)})
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def _listening(self) -> None:
        async with asyncio.timeout(_START_S):
            while True:
                with contextlib.suppress(aiohttp.ClientConnectionError):
                    await self._call("GET", "/status")
                    return
                await asyncio.sleep(0.1)

    async def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """One command of the session; its value. Raises AssertionError with the browser's message."""
        return await self._call(method, f"{self._session}{path}", body)

    async def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        timeout = aiohttp.ClientTimeout(total=_SCRIPT_S + 30)
        async with self._http.request(method, path, json=body, timeout=timeout) as answer:
            value = (await answer.json())["value"]
            assert answer.status == 200, value
            return value

    async def new_page(self, url: str) -> WebKitPage:
        """The page at this address, in place of the one before."""
        await self.call("POST", "/url", {"url": url})
        return WebKitPage(self)


class WebKitPage:
    """The part of Playwright's Page that the tests use."""

    def __init__(self, webkit: WebKit) -> None:
        self._webkit = webkit

    async def evaluate(self, expression: str, arg: Any = None) -> Any:
        """Value of an expression, or of a function called with `arg`; JSON values only. Raises ScriptError."""
        script = {"script": _EVALUATE.replace("EXPRESSION", expression), "args": [json.dumps(arg)]}
        good, text = await self._webkit.call("POST", "/execute/async", script)
        if not good:
            raise ScriptError(text)
        return None if text is None else json.loads(text)
