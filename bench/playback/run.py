"""`python -m bench.playback.run [--hours 6] [--rounds 3] [--mbits 20] [--delay-ms 30]`: seconds until a browser shows
the first picture of a long recording and goes on, and until it does so a minute before the end. Prints a table."""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from bench.playback import hours  # noqa: E402
from bench.playback.line import Line  # noqa: E402
from meet.demo.api import Api  # noqa: E402
from meet.demo.server import Server  # noqa: E402
from tests.e2e.browser.playback import shelf  # noqa: E402
from tests.e2e.browser.playback.viewers import VIEWERS, Look, missing  # noqa: E402

TARGET_S: Final = 2.0
_WAYS: Final = {
    "chromium": ("file", "stream", "HLS"),
    "firefox": ("file", "stream"),
    "webkit": ("file", "stream"),
    "webkit with HLS": ("HLS",),
}
_TIMED: Final = """async ([source, seek]) => {
  const video = document.createElement("video");
  video.muted = true;
  const failed = new Promise((_, reject) => {
    video.addEventListener("error", () => reject(new Error(video.error.message)));
    const told = () => `${video.readyState}/${video.networkState} at ${video.currentTime} of ${video.duration}`;
    setTimeout(() => reject(new Error(`nothing in 40 s: ${told()}`)), 40_000);
  });
  const moves = (from) => Promise.race([failed, new Promise((resolve) => {
    const timer = setInterval(() => {
      if (video.seeking || video.videoWidth === 0 || video.currentTime <= from) return;
      clearInterval(timer);
      resolve();
    }, 5);
  })]);
  document.body.append(video);
  const times = [performance.now()];
  video.src = source;
  video.play().catch(() => undefined);
  await moves(0);
  times.push(performance.now());
  const to = video.duration + seek;
  video.currentTime = to;
  await moves(to);
  times.push(performance.now());
  const duration = video.duration;
  video.removeAttribute("src");
  video.load();
  video.remove();
  return [(times[1] - times[0]) / 1000, (times[2] - times[1]) / 1000, duration];
}"""


async def watched(look: Look, address: str, source: str, rounds: int) -> str:
    """Median seconds to begin and to seek, or what went wrong."""
    begun, sought = [], []
    for _ in range(rounds):
        page = await look(address)
        try:
            begin, seek, _duration = await page.evaluate(_TIMED, [source, -60.0])
        except Exception as error:  # whatever the browser says belongs into the table
            return str(error).splitlines()[0]
        begun.append(begin)
        sought.append(seek)
    return f"{statistics.median(begun):.2f} s, seek {statistics.median(sought):.2f} s"


async def compare(options: argparse.Namespace, folder: Path) -> None:
    """Print a line per browser and way."""
    made = await asyncio.to_thread(hours.make, folder, options.hours)
    print(f"{options.hours:g} h, {made.stat().st_size / 1e6:.0f} MB")
    async with Server(folder / "data") as server, Api(server.url, server.api_key) as api:
        room = await api.create_room("Hours")
        recording_id = await shelf.shelve(server, room, made, options.hours * 3600)
        link: str = (await api.call("GET", f"/api/v1/recordings/{recording_id}/url"))["url"]
        direct = shelf.addresses(server, recording_id, link)
        port = urlsplit(server.url).port or 0
        async with Line(port, options.mbits * 1e6 / 8, options.delay_ms / 1000).open() as slow:
            for name in options.browsers or VIEWERS:
                if needed := missing(name):
                    print(f"{name}: needs {needed}")
                    continue
                async with VIEWERS[name]() as look:
                    for way in _WAYS[name]:
                        cells: list[Any] = []
                        for there in (port, slow):
                            change = (f":{port}/", f":{there}/")
                            # Any page of the server but the player's, which would load the same address meanwhile.
                            page, source = f"{server.url}/".replace(*change), direct[way].replace(*change)
                            cells.append(await watched(look, page, source, options.rounds))
                        print(f"| {name}, {way} | {' | '.join(cells)} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, default=6)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--mbits", type=float, default=20)
    parser.add_argument("--delay-ms", type=float, default=15, help="each way")
    parser.add_argument("--browsers", nargs="*", choices=list(VIEWERS))
    options = parser.parse_args()
    os.environ["MEET_RATE_LIMITS"] = "false"
    with tempfile.TemporaryDirectory(prefix="meet-bench-") as folder:
        asyncio.run(compare(options, Path(folder)))


if __name__ == "__main__":
    main()
