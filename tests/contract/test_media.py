"""The bytes of recordings: contract 4.6 and 4.8, RFC 9110 section 14."""

from __future__ import annotations

import io
import zipfile

import pytest

from .calls import call
from .world import MOVIE, Scene

pytestmark = pytest.mark.asyncio(loop_scope="session")

MEDIA = "/api/v1/recordings/{recording}/media"
DOWNLOAD = "/api/v1/recordings/download"
SIZE = len(MOVIE)


async def test_the_whole_file(scene: Scene) -> None:
    await scene.add_recording()
    response = await call(scene, "GET", MEDIA)
    assert response.content == MOVIE
    headers = response.headers
    assert headers["content-type"] == "video/mp4"
    assert headers["accept-ranges"] == "bytes"
    assert headers["content-length"] == str(SIZE)
    assert headers["cache-control"] == "public, max-age=3600"
    assert headers["etag"].startswith('"')
    assert "GMT" in headers["last-modified"]
    assert "content-range" not in headers
    assert "x-api-key" in headers["vary"].lower()


@pytest.mark.parametrize(
    ("value", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=100-4000", 100, 4000),
        ("bytes=12000-99999", 12000, SIZE - 1),
        ("bytes=5-", 5, SIZE - 1),
        ("bytes=-500", SIZE - 500, SIZE - 1),
        ("bytes=-99999", 0, SIZE - 1),
    ],
)
async def test_one_range(scene: Scene, value: str, first: int, last: int) -> None:
    await scene.add_recording()
    response = await call(scene, "GET", MEDIA, 206, headers={"Range": value})
    assert response.content == MOVIE[first : last + 1]
    assert response.headers["content-range"] == f"bytes {first}-{last}/{SIZE}"
    assert response.headers["content-length"] == str(last - first + 1)


@pytest.mark.parametrize("value", ["bytes=0-1,3-4", "bytes=9-2", "bytes=0-1, -5,,", "pages=1-2"])
async def test_what_is_no_single_range_is_the_whole_file(scene: Scene, value: str) -> None:
    await scene.add_recording()
    assert (await call(scene, "GET", MEDIA, 200, headers={"Range": value})).content == MOVIE


@pytest.mark.parametrize("value", ["bytes=x", "bytes=", "bytes=-", "bytes=1-2-3", "nonsense"])
async def test_what_is_no_range_is_refused(scene: Scene, value: str) -> None:
    await scene.add_recording()
    response = await call(scene, "GET", MEDIA, 422, headers={"Range": value})
    message = "Invalid range header format. Expected: bytes=start-end"
    assert response.json()["details"] == [{"field": "headers.range", "message": message}]


@pytest.mark.parametrize("value", [f"bytes={SIZE}-", "bytes=-0"])
async def test_a_range_outside_of_the_file(scene: Scene, value: str) -> None:
    await scene.add_recording()
    response = await call(scene, "GET", MEDIA, 416, headers={"Range": value})
    assert response.headers["content-range"] == f"bytes */{SIZE}"
    assert response.json()["message"].endswith(f"range not satisfiable. File size: {SIZE}")


async def test_if_range_lets_a_range_count_while_the_file_is_the_same(scene: Scene) -> None:
    await scene.add_recording()
    head = await call(scene, "HEAD", MEDIA)
    ranged = {"Range": "bytes=0-9"}
    for validator in (head.headers["etag"], head.headers["last-modified"]):
        await call(scene, "GET", MEDIA, 206, headers={**ranged, "If-Range": validator})
    for validator in ('"another"', f"W/{head.headers['etag']}", "Wed, 21 Oct 2015 07:28:00 GMT"):
        await call(scene, "GET", MEDIA, 200, headers={**ranged, "If-Range": validator})


async def test_head_shows_the_headers_without_the_bytes(scene: Scene) -> None:
    await scene.add_recording()
    head, get = await call(scene, "HEAD", MEDIA), await call(scene, "GET", MEDIA)
    assert head.content == b""
    names = ("content-length", "etag", "last-modified", "content-type", "accept-ranges")
    assert [head.headers[name] for name in names] == [get.headers[name] for name in names]


async def test_urls_that_are_a_credential_stay_out_of_shared_caches(scene: Scene) -> None:
    await scene.add_recording()
    for who in ("public secret", "admin by query", "moderator by query"):
        response = await call(scene, "GET", MEDIA, who=who)
        assert response.headers["cache-control"] == "private, max-age=3600"


async def test_an_archive_holds_the_files_and_its_length_is_known(scene: Scene) -> None:
    first, second = await scene.add_recording(), await scene.add_recording()
    unfinished, lost = await scene.add_recording("failed"), await scene.add_recording(media=False)
    ids = [first, second, unfinished, lost, first]
    params = {"recordingIds": ",".join(recording.recording_id for recording in ids)}
    response = await call(scene, "GET", DOWNLOAD, who="moderator by query", params=params)
    assert response.headers["content-type"] == "application/zip"
    assert response.headers["content-disposition"] == 'attachment; filename="recordings.zip"'
    assert response.headers["content-length"] == str(len(response.content))
    with zipfile.ZipFile(io.BytesIO(response.content)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [first.filename, second.filename]
        assert archive.read(second.filename) == MOVIE
        assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_STORED}


async def test_an_archive_of_nothing_finished_is_empty(scene: Scene) -> None:
    recording = await scene.add_recording("aborted")
    response = await call(scene, "GET", DOWNLOAD, params={"recordingIds": recording.recording_id})
    with zipfile.ZipFile(io.BytesIO(response.content)) as archive:
        assert archive.namelist() == []


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_what_the_client_has_is_not_sent_again(scene: Scene, method: str) -> None:
    await scene.add_recording()
    whole = await call(scene, "HEAD", MEDIA, judged=False)
    etag, date = whole.headers["etag"], whole.headers["last-modified"]
    for asked in (
        {"If-None-Match": f'"x", W/{etag}'},
        {"If-Modified-Since": date},
        {"If-None-Match": etag, "Range": "bytes=0-1"},
    ):
        response = await call(scene, method, MEDIA, 304, headers=asked, judged=method == "GET")
        assert response.content == b""
        assert response.headers["etag"] == etag
        assert response.headers["cache-control"] == whole.headers["cache-control"]
        assert response.headers["vary"] == whole.headers["vary"]
        assert not {"content-length", "content-type", "content-range", "last-modified"} & set(response.headers)
    other = {"If-None-Match": '"other"', "If-Modified-Since": date}
    assert (await call(scene, method, MEDIA, 200, headers=other, judged=method == "GET")).headers["etag"] == etag


async def test_only_the_file_that_is_wanted_is_sent(scene: Scene) -> None:
    recording = await scene.add_recording()
    whole = await call(scene, "GET", MEDIA)
    etag, date = whole.headers["etag"], whole.headers["last-modified"]
    assert (await call(scene, "GET", MEDIA, headers={"If-Match": etag})).content == MOVIE
    ranged = {"If-Match": f'"x", {etag}', "Range": "bytes=5-9"}
    assert (await call(scene, "GET", MEDIA, 206, headers=ranged)).content == MOVIE[5:10]
    await call(scene, "GET", MEDIA, headers={"If-Unmodified-Since": date})
    behind = {"Range": f"bytes={SIZE}-"}
    for asked in (
        {"If-Match": f"W/{etag}"},
        {"If-Unmodified-Since": "Mon, 01 Jan 2001 00:00:00 GMT"},
        {"If-Match": '"x"', **behind},
    ):
        response = await call(scene, "GET", MEDIA, 412, headers=asked)
        message = f"Recording '{recording.recording_id}' is not what the preconditions name"
        assert response.json() == {"error": "Recording Error", "message": message}


async def test_a_download_that_is_there_has_no_name(scene: Scene) -> None:
    await scene.add_recording()
    saved = "/api/v1/recordings/{recording}/download"
    etag = (await call(scene, "GET", saved)).headers["etag"]
    response = await call(scene, "GET", saved, 304, headers={"If-None-Match": etag})
    assert "content-disposition" not in response.headers
