"""Everything that the recorder makes, played and sought in Chromium, Firefox and WebKit (`make browsers`)."""

from __future__ import annotations

import platform
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio

from meet.demo.api import Api
from meet.demo.server import Server
from tests.e2e.browser.playback import shelf, works
from tests.e2e.browser.playback.viewers import VIEWERS, Look, missing
from tests.e2e.browser.playback.works import Work
from tests.e2e.media.pages.acts import holds
from tests.e2e.media.pages.conftest import thorough

pytestmark = [thorough, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(900)]

_WATCH: Final = Path(__file__).with_name("watch.js").read_text()
_LOUD: Final = 0.3
"""Peak of the beeps, whose amplitude is 0.6."""
PLAYER: Final = "document.querySelector('[data-testid=player]')"


@dataclass(frozen=True)
class Shelved:
    """A work on the server. link: its player page; at: addresses by name."""

    work: Work
    link: str
    at: dict[str, str]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shelved(shared_api: Api, shared_server: Server, tmp_path_factory: pytest.TempPathFactory) -> list[Shelved]:
    """All works as recordings of one room."""
    room = await shared_api.create_room("Shelf")
    on_shelf = []
    for work in works.everything(tmp_path_factory.mktemp("works")):
        recording_id = await shelf.shelve(shared_server, room, work.path, work.duration_s)
        link = (await shared_api.call("GET", f"/api/v1/recordings/{recording_id}/url"))["url"]
        on_shelf.append(Shelved(work, link, shelf.addresses(shared_server, recording_id, link)))
    return on_shelf


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=list(VIEWERS))
async def viewer(request: pytest.FixtureRequest) -> AsyncIterator[tuple[str, Look]]:
    if needed := missing(request.param):
        pytest.skip(f"tools/apt-install {needed}")
    async with VIEWERS[request.param]() as look:
        yield request.param, look


def complaint(work: Work, seen: dict[str, Any]) -> str:
    """What is wrong with what a browser showed, "" for nothing."""
    faults = []
    if abs(seen["duration"] - work.duration_s) > 0.1:
        faults.append(f"{seen['duration']} s long instead of {work.duration_s}")
    if (seen["width"], seen["height"]) != (work.width, work.height):
        faults.append(f"{seen['width']}x{seen['height']} instead of {work.width}x{work.height}")
    if work.width and seen["bright"] - seen["dark"] < work.brighter / 2:
        faults.append(f"no flash {work.white_s} s: {seen['dark']:.0f} to {seen['bright']:.0f}")
    if work.sounds and seen["loudest"] < _LOUD:
        faults.append(f"no beep louder than {seen['loudest']:.2f}")
    return ", ".join(faults)


def _ways(viewer: str, work: Work) -> list[str]:
    """How this browser may get it. Firefox cannot seek in the stream; of HLS there is one player here."""
    if viewer == "webkit with HLS":
        return ["HLS"] if work.path.suffix == ".mp4" and work.sounds and "VP8" not in work.name else []
    fragmented = work.name in works.ENCODINGS and "VP8" not in work.name
    return ["file", "stream"] if fragmented and viewer != "firefox" else ["file"]


async def test_everything_plays_and_can_be_sought(
    shared_server: Server, shelved: list[Shelved], viewer: tuple[str, Look]
) -> None:
    name, look = viewer
    faults = {}
    for each in shelved:
        for way in _ways(name, each.work):
            # Any page of the server but the player's, which would load the same address meanwhile.
            page = await look(f"{shared_server.url}/")
            arguments = [each.at[way], each.work.white_s, each.at["file"] if each.work.sounds else None]
            try:
                fault = complaint(each.work, await page.evaluate(_WATCH, arguments))
            except Exception as error:  # whatever a browser or its driver says is the finding
                fault = f"{type(error).__name__}: {error}"
            print(f"{name:16} {way:7} {each.work.name:50} {fault or 'plays'}")
            if fault:
                faults[each.work.name, way] = fault
    assert not faults, (platform.platform(), faults)


async def test_the_player_page(shelved: list[Shelved], viewer: tuple[str, Look]) -> None:
    """With the secret of its link, by the way that the page chooses for this browser."""
    name, look = viewer
    chosen = {"chromium": "/stream?", "firefox": "/media?", "webkit": "/media?", "webkit with HLS": "/playlist.m3u8?"}
    for each in shelved:
        if each.work.name not in works.ENCODINGS:
            continue
        page = await look(each.link)
        await holds(page, f"() => {PLAYER}?.readyState >= 1")
        await page.evaluate(f"() => {{ {PLAYER}.muted = true; {PLAYER}.play().catch(() => undefined) }}")
        await holds(page, f"() => {PLAYER}.currentTime > 1 && {PLAYER}.videoWidth === {each.work.width}")
        source = await page.evaluate(f"{PLAYER}.currentSrc")
        assert ("/media?" if "VP8" in each.work.name else chosen[name]) in source, (each.work.name, source)
        await page.evaluate(f"() => {{ {PLAYER}.currentTime = 3.5 }}")
        await holds(page, f"() => {PLAYER}.currentTime > 4 && document.querySelector('#player-error').hidden")
