"""What players get of a recording's fragments."""

from __future__ import annotations

from dataclasses import replace

import pytest

from .calls import call
from .table_playback import FIRST, INDEX, ITEM, STREAM, indexed
from .world import MOVIE, Scene

pytestmark = pytest.mark.asyncio(loop_scope="session")

PLAYLIST, PLAY = f"{ITEM}/playlist.m3u8", f"{ITEM}/stream"


async def test_a_playlist_of_byte_ranges(scene: Scene) -> None:
    await scene.add_recording()
    await indexed(scene)
    response = await call(scene, "GET", PLAYLIST)
    assert response.headers["content-type"] == "application/vnd.apple.mpegurl"
    assert response.headers["cache-control"] == "public, max-age=3600"
    media = "media.mp4"
    assert response.text.splitlines() == [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        "#EXT-X-PLAYLIST-TYPE:VOD",
        "#EXT-X-INDEPENDENT-SEGMENTS",
        "#EXT-X-TARGETDURATION:4",
        f'#EXT-X-MAP:URI="{media}",BYTERANGE="{len(INDEX.init)}@44"',
        "#EXTINF:4.00000,",
        "#EXT-X-BYTERANGE:4000@1000",
        media,
        "#EXTINF:2.50000,",
        "#EXT-X-BYTERANGE:5000@5000",
        media,
        "#EXT-X-ENDLIST",
    ]


async def test_the_uris_open_what_the_playlist_opened(scene: Scene) -> None:
    await scene.add_recording()
    await indexed(scene)
    response = await call(scene, "GET", PLAYLIST, who="public secret")
    assert response.headers["cache-control"] == "private, max-age=3600"
    uri = response.url.join(response.text.splitlines()[-2])
    part = await scene.world.client.get(uri, headers={"Range": f"bytes={FIRST}-{FIRST + 3999}"})
    assert part.status_code == 206
    assert part.content == MOVIE[FIRST : FIRST + 4000]


@pytest.mark.parametrize(
    ("first", "last"), [(0, 9), (20, len(STREAM) - 1), (len(STREAM) - 8000, len(STREAM) - 7000), (3, 3)]
)
async def test_a_range_of_the_stream(scene: Scene, first: int, last: int) -> None:
    await scene.add_recording()
    await indexed(scene)
    response = await call(scene, "GET", PLAY, 206, headers={"Range": f"bytes={first}-{last}"})
    assert response.content == STREAM[first : last + 1]
    assert response.headers["content-range"] == f"bytes {first}-{last}/{len(STREAM)}"


async def test_the_whole_stream_has_a_name_of_its_own(scene: Scene) -> None:
    await scene.add_recording()
    await indexed(scene)
    response = await call(scene, "GET", PLAY)
    assert response.content == STREAM
    media = await call(scene, "GET", "/api/v1/recordings/{recording}/media")
    assert response.headers["etag"] != media.headers["etag"]
    again = await call(scene, "GET", PLAY, 200, headers={"Range": "bytes=0-1", "If-Range": media.headers["etag"]})
    assert again.content == STREAM


async def test_an_index_of_another_file_is_not_used(scene: Scene) -> None:
    await scene.add_recording()
    await indexed(scene, replace(INDEX, size=len(MOVIE) + 1))
    await call(scene, "GET", PLAY, 409)
    await call(scene, "GET", PLAYLIST, 409)
