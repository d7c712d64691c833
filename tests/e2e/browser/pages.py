"""Driving our pages in Chromium: the steps a person takes, by the pages' `data-testid` hooks."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, async_playwright, expect

TIMEOUT_MS = 60_000
"""What a busy machine may need for anything; nobody waits for it where all is well."""
expect.set_options(timeout=TIMEOUT_MS)  # of all tests; by itself it is five seconds
CHROMIUM_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    "--auto-select-desktop-capture-source=Entire screen",
    "--autoplay-policy=no-user-gesture-required",
)


@asynccontextmanager
async def chromium(*extra_flags: str) -> AsyncIterator[Browser]:
    """Headless Debian Chromium with a synthetic camera and microphone. Raises FileNotFoundError when not installed."""
    executable = shutil.which("chromium")
    if executable is None:
        raise FileNotFoundError("chromium is not installed (apt install chromium)")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=executable, args=[*CHROMIUM_FLAGS, *extra_flags], timeout=TIMEOUT_MS
        )
        try:
            yield browser
        finally:
            await browser.close()


async def windows(browser: Browser, count: int, **options: Any) -> list[Page]:
    """Pages of people who know nothing of each other. Of several in one window all but one are drawn once in a second,
    and every click in those waits for that."""
    return [await (await browser.new_context(**options)).new_page() for _ in range(count)]


class Complaints:
    """What a page should never do: script errors, violations of its Content-Security-Policy, foreign requests."""

    def __init__(self, origin: str, *contexts: BrowserContext) -> None:
        self.found: list[str] = []
        self._origin = origin
        for context in contexts:
            self._listen(context)

    def _listen(self, context: BrowserContext) -> None:
        context.on("console", self._console)
        context.on("weberror", lambda error: self.found.append(f"script error: {error.error}"))
        context.on("request", lambda request: self._request(request.url))

    def _console(self, message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            self.found.append(message.text)

    def _request(self, url: str) -> None:
        if not url.startswith((self._origin, "blob:", "data:")):
            self.found.append(f"request to another origin: {url.split('?', 1)[0]}")


async def join_room(page: Page, url: str, name: str, *, camera: bool = True, microphone: bool = True) -> None:
    """Open a room link, give a name, join, and wait until the meeting is on screen."""
    await page.goto(url)
    await page.get_by_test_id("join-name").fill(name, timeout=TIMEOUT_MS)
    for wanted, hook in ((camera, "lobby-camera"), (microphone, "lobby-microphone")):
        button = page.get_by_test_id(hook)
        if not wanted and await button.get_attribute("aria-pressed") == "true":
            await button.click()
    await page.get_by_test_id("join-button").click()
    await expect(page.get_by_test_id("leave-button")).to_be_visible()


async def wait_tiles(page: Page, count: int) -> None:
    """Wait until exactly `count` participants (oneself included) have a tile."""
    await expect(page.get_by_test_id("tile")).to_have_count(count)


def tile_of(page: Page, name: str) -> Locator:
    """The tile of the remote participant with this display name."""
    return page.locator('[data-testid="tile"][data-local="false"]').filter(has_text=name)


async def video_advances(tile: Locator, *, samples: int = 2, timeout_s: float = TIMEOUT_MS / 1000) -> None:
    """Wait until the tile's video has a picture and its clock moved on `samples` times. Raises TimeoutError."""
    await _advances(tile.locator("video"), samples, timeout_s)


async def audio_advances(page: Page, count: int = 1, *, timeout_s: float = TIMEOUT_MS / 1000) -> None:
    """Wait until `count` remote sound elements play. Raises TimeoutError."""
    sounds = page.locator("#sounds audio")
    await expect(sounds).to_have_count(count, timeout=timeout_s * 1000)
    for index in range(count):
        await _advances(sounds.nth(index), 2, timeout_s, picture=False)


async def _advances(media: Locator, samples: int, timeout_s: float, *, picture: bool = True) -> None:
    last, moved = -1.0, -1
    async with asyncio.timeout(timeout_s):
        while moved < samples:
            now, width = await media.evaluate("(m) => [m.paused ? -1 : m.currentTime, m.videoWidth ?? 1]")
            if now > last and (width > 0 or not picture):
                last, moved = now, moved + 1
            await asyncio.sleep(0.2)


async def hears_sound(page: Page, *, timeout_s: float = TIMEOUT_MS / 1000) -> float:
    """Loudest level (0..1, RMS) of the page's remote sound; waits until it is above silence. Raises TimeoutError."""
    script = """async (audio) => {
        const context = new AudioContext();
        const analyser = context.createAnalyser();
        context.createMediaStreamSource(audio.srcObject).connect(analyser);
        await context.resume();
        const samples = new Float32Array(analyser.fftSize);
        let loudest = 0;
        for (let turn = 0; turn < 20; turn += 1) {
            await new Promise((resolve) => setTimeout(resolve, 100));
            analyser.getFloatTimeDomainData(samples);
            loudest = Math.max(loudest, Math.sqrt(samples.reduce((sum, s) => sum + s * s, 0) / samples.length));
        }
        await context.close();
        return loudest;
    }"""
    async with asyncio.timeout(timeout_s):
        while True:
            level: float = await page.locator("#sounds audio").first.evaluate(script)
            if level > 0.001:
                return level


async def start_recording(page: Page) -> None:
    """Press record and wait until everyone's page would say that the meeting is being recorded."""
    await page.get_by_test_id("record-button").click()
    await wait_recording(page)


async def wait_recording(page: Page) -> None:
    """Wait for the badge of a running recording."""
    await expect(page.get_by_test_id("recording-badge")).to_have_attribute("data-status", "active")


async def stop_recording(page: Page) -> str:
    """Press stop, wait until the recording is finished, return the address of its player page."""
    await page.get_by_test_id("record-button").click()
    return await recording_link(page)


async def recording_link(page: Page) -> str:
    """Wait for the link to the finished recording."""
    link = page.get_by_test_id("recording-link").last
    await expect(link).to_be_visible(timeout=2 * TIMEOUT_MS)
    href = await link.get_attribute("href")
    assert href, "the link has no address"
    return href


async def leave(page: Page) -> None:
    await page.get_by_test_id("leave-button").click()
    await expect(page.get_by_test_id("left")).to_be_visible()


async def play_recording(page: Page, url: str) -> float:
    """Open the player page and play until the picture moves; returns the duration in seconds."""
    await page.goto(url)
    player = page.get_by_test_id("player")
    await expect(player).to_be_visible()
    await player.evaluate("(video) => { video.muted = true; return video.play(); }")
    await _advances(player, 2, TIMEOUT_MS / 1000)
    duration: float = await player.evaluate("(video) => video.duration")
    return duration


async def download_recording(page: Page, target: Path) -> Path:
    """Press the player page's download button; returns `target`, now the MP4."""
    async with page.expect_download(timeout=TIMEOUT_MS) as waiting:
        await page.get_by_test_id("download-link").click()
    download = await waiting.value
    await download.save_as(target)
    return target


async def sign_in(page: Page, base_url: str, user: str, password: str) -> None:
    """Open the start page and sign in; ends on the list of rooms."""
    await page.goto(f"{base_url}/")
    await page.get_by_test_id("sign-in-user").fill(user)
    await page.get_by_test_id("sign-in-password").fill(password)
    await page.get_by_test_id("sign-in-button").click()
    await expect(page.get_by_test_id("new-room")).to_be_visible()


async def copied(page: Page, part: str) -> str:
    """What was copied, as soon as `part` is in it. Raises TimeoutError."""
    async with asyncio.timeout(TIMEOUT_MS / 1000):
        while part not in (text := str(await page.evaluate("navigator.clipboard.readText()"))):
            await asyncio.sleep(0.1)
    return text


async def create_room(page: Page, name: str) -> str:
    """Create a room in the console; returns its room id."""
    await page.get_by_test_id("new-room").fill(name)
    await page.get_by_test_id("create-room").click()
    row = page.get_by_test_id("room").filter(has_text=name).first
    await expect(row).to_be_visible()
    room_id = await row.get_attribute("data-room-id")
    assert room_id, "the row has no room id"
    return room_id


PEERS_SCRIPT = """
const Native = window.RTCPeerConnection;
window.peers = [];
window.RTCPeerConnection = class extends Native {
  constructor(...options) { super(...options); window.peers.push(this); }
};
"""
"""For `add_init_script`, before `take_microphone_again`."""


async def take_microphone_again(page: Page, away_s: float) -> None:
    """As when a headset is plugged in: the microphone goes, and another one takes its place after a while. RTP time has
    stood still then, as Chromium counts samples."""
    await page.evaluate(
        """async (awayMs) => {
            const senders = window.peers.flatMap((peer) => peer.getSenders());
            const sender = senders.find(({ track }) => track?.kind === "audio");
            sender.track.stop();
            await new Promise((resolve) => setTimeout(resolve, awayMs));
            const fresh = await navigator.mediaDevices.getUserMedia({ audio: true });
            await sender.replaceTrack(fresh.getAudioTracks()[0]);
        }""",
        away_s * 1000,
    )
