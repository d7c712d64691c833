"""Advanced encodings from the API call to a browser that plays the file."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from meet.demo.api import Api
from meet.demo.robot import Robot
from meet.demo.server import Server
from tests.e2e.browser import pages
from tests.support import media

PLAY = """async (src) => {
  const video = document.createElement('video');
  video.muted = true;
  document.body.append(video);
  const event = name => new Promise((done, failed) => {
    video.addEventListener(name, done, { once: true });
    video.addEventListener('error', () => failed(new Error(video.error.message)), { once: true });
  });
  const loaded = event('loadedmetadata');
  video.src = src;
  await loaded;
  const seeked = event('seeked');
  video.currentTime = video.duration / 2;
  await seeked;
  const ended = event('ended');
  await video.play();
  await ended;
  return { duration: video.duration, width: video.videoWidth, height: video.videoHeight };
}"""

LISTEN = """async (player) => {
  const event = name => new Promise(done => player.addEventListener(name, done, { once: true }));
  if (player.readyState < 1) await event('loadedmetadata');
  const seeked = event('seeked');
  player.currentTime = player.duration / 2;
  await seeked;
  const ended = event('ended');
  await player.play();
  await ended;
  return { tag: player.tagName, duration: player.duration };
}"""


@pytest.mark.timeout(300)
async def test_vp8_with_opus_is_recorded_and_plays(server: Server, api: Api, tmp_path: Path) -> None:
    room = await api.create_room("Open codecs")
    url, token = await api.join_token(room, "Ada")
    video = {"width": 640, "height": 360, "framerate": 25, "bitrate": 800, "keyFrameInterval": 1, "depth": 24}
    encoding = {
        "video": {**video, "codec": "VP8"},
        "audio": {"bitrate": 64, "frequency": 48000, "codec": "OPUS"},
    }
    async with Robot(url, token) as ada:
        recording = await api.start_recording(room["roomId"], encoding=encoding)
        recording_id = recording["recordingId"]
        await asyncio.sleep(4)
        await api.stop_recording(recording_id)
        done = await api.wait_for(recording_id, "complete", "failed", "aborted")
        sound_id, sound_done = await sound_alone(api, room["roomId"])
    assert done["status"] == "complete" and done["encoding"] == encoding, done
    path = tmp_path / done["filename"]
    await api.download(recording_id, path, lambda _done, _total: None)
    decoded = media.decode(path)
    assert (decoded.width, decoded.height, decoded.video_codec, decoded.audio_codec) == (640, 360, "vp8", "opus")
    assert abs(decoded.video_s - done["duration"]) < 0.1 and len(media.flashes(decoded)) >= 2
    link = (await api.call("GET", f"/api/v1/recordings/{recording_id}/url"))["url"]
    secret = parse_qs(urlsplit(link).query)["recordingSecret"][0]
    source = f"{server.url}/api/v1/recordings/{recording_id}/media?recordingSecret={secret}"
    async with pages.chromium() as browser:
        page = await browser.new_page()
        answer = await page.goto(link)
        assert answer is not None and answer.ok
        head = await page.request.get(source, headers={"Range": "bytes=0-0"})
        assert head.headers["content-type"] == "video/webm"
        played = await page.evaluate(PLAY, source)
        await page.goto((await api.call("GET", f"/api/v1/recordings/{sound_id}/url"))["url"])
        heard = await page.get_by_test_id("player").evaluate(LISTEN)
        name = await page.get_by_test_id("download-link").get_attribute("download")
    assert (played["width"], played["height"]) == (640, 360)
    assert abs(played["duration"] - done["duration"]) < 0.1
    path = tmp_path / sound_done["filename"]
    await api.download(sound_id, path, lambda _done, _total: None)
    sound = media.decode_sound(path)
    beeps = media.beeps(sound)
    assert sound.audio_codec == "aac" and abs(sound.audio_s - sound_done["duration"]) < 0.1 and len(beeps) >= 2
    steady = all(abs(later - earlier - 1) < 0.08 for earlier, later in pairwise(beeps))
    assert steady or ada.spoilt, beeps  # those that the robot itself was late with tell nothing
    assert heard["tag"] == "AUDIO" and abs(heard["duration"] - sound_done["duration"]) < 0.1
    assert name == sound_done["filename"] == path.name and path.suffix == ".m4a"


async def sound_alone(api: Api, room_id: str) -> tuple[str, dict[str, Any]]:
    """A recording of the running meeting without its pictures."""
    started = await api.call("POST", "/api/extra/v1/recordings", {"roomId": room_id, "audioOnly": True})
    assert started["audioOnly"] and started["status"] == "active"
    await asyncio.sleep(3)
    await api.stop_recording(started["recordingId"])
    done = await api.wait_for(started["recordingId"], "complete", "failed", "aborted")
    assert done["status"] == "complete", done
    return started["recordingId"], done
