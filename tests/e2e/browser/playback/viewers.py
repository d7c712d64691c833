"""Chromium, Firefox and WebKit behind one face: a page at an address, in which scripts are evaluated."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

from tests.e2e.browser import pages
from tests.e2e.media.pages import firefox
from tests.e2e.media.pages.acts import Evaluates
from tests.support import webkit
from tests.support.desktop import PROGRAMS, desktop

Look = Callable[[str], Awaitable[Evaluates]]
"""Opens a page."""


@contextlib.asynccontextmanager
async def _chromium() -> AsyncIterator[Look]:
    async with pages.chromium() as browser:

        async def look(url: str) -> Evaluates:
            for context in browser.contexts:
                await context.close()
            page = await (await browser.new_context()).new_page()
            await page.goto(url)
            return page

        yield look


@contextlib.asynccontextmanager
async def _firefox() -> AsyncIterator[Look]:
    async with desktop() as environment, firefox.Firefox(environment) as browser:
        yield browser.new_page


@contextlib.asynccontextmanager
async def _webkit() -> AsyncIterator[Look]:
    async with webkit.WebKit() as browser:
        yield browser.new_page


@contextlib.asynccontextmanager
async def _webkit_hls() -> AsyncIterator[Look]:
    async with webkit.WebKit(hls=True) as browser:
        yield browser.new_page


VIEWERS: Final = {"chromium": _chromium, "firefox": _firefox, "webkit": _webkit, "webkit with HLS": _webkit_hls}


def missing(viewer: str) -> str:
    """What has to be installed for it, "" when nothing has."""
    if viewer == "chromium":
        return "" if shutil.which("chromium") else "chromium"
    if viewer == "firefox":
        return "" if firefox.PATH and all(map(shutil.which, PROGRAMS)) else "firefox-esr xvfb pulseaudio"
    return "" if webkit.PATH else " ".join(webkit.PACKAGES)
