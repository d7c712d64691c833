from __future__ import annotations

import gzip
import hashlib
from pathlib import Path

import httpx
import pytest

from meet.web.assets import Assets, AssetsMissing


async def test_file_is_cached_for_good(client: httpx.AsyncClient) -> None:
    answer = await client.get("/meet/static/room-AB12.js", headers={"accept-encoding": "identity"})
    assert answer.text == "/* room-AB12.js */" * 50
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["vary"] == "accept-encoding"
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_head_has_the_length_and_no_body(client: httpx.AsyncClient) -> None:
    plain = {"accept-encoding": "identity"}
    got = await client.get("/static/icon-AB12.svg", headers=plain)
    head = await client.head("/static/icon-AB12.svg", headers=plain)
    assert head.content == b""
    assert head.headers["content-length"] == got.headers["content-length"] == str(len(got.content))


@pytest.mark.parametrize("accepted", ["gzip", "br, gzip;q=0.5", "GZIP , deflate"])
async def test_gzip_when_asked_for(client: httpx.AsyncClient, accepted: str) -> None:
    async with client.stream("GET", "/static/style-AB12.css", headers={"accept-encoding": accepted}) as answer:
        raw = b"".join([part async for part in answer.aiter_raw()])
    assert answer.headers["content-encoding"] == "gzip"
    assert gzip.decompress(raw) == b"/* style-AB12.css */" * 50


@pytest.mark.parametrize("accepted", ["identity", "gzip;q=0", "br, gzip; q=0.0", "x-gzipped"])
async def test_no_gzip_otherwise(client: httpx.AsyncClient, accepted: str) -> None:
    answer = await client.get("/static/style-AB12.css", headers={"accept-encoding": accepted})
    assert "content-encoding" not in answer.headers


async def test_validators(client: httpx.AsyncClient) -> None:
    path = "/static/home-AB12.js"
    plain = (await client.get(path, headers={"accept-encoding": "identity"})).headers["etag"]
    packed = (await client.get(path, headers={"accept-encoding": "gzip"})).headers["etag"]
    assert plain != packed
    for condition in (plain, f'"x", W/{plain}', "*"):
        answer = await client.get(path, headers={"accept-encoding": "identity", "if-none-match": condition})
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", plain)
    stale = await client.get(path, headers={"accept-encoding": "identity", "if-none-match": packed})
    assert stale.status_code == 200


@pytest.mark.parametrize("name", ["nothing.js", "manifest.json", "..%2f..%2fapp.py", "docs"])
async def test_only_built_files_are_served(client: httpx.AsyncClient, name: str) -> None:
    answer = await client.get(f"/static/{name}")
    assert answer.status_code == 404
    assert answer.json() == {"error": "Path Not Found", "message": "API path not implemented"}


def test_missing_build_is_explained(tmp_path: Path) -> None:
    with pytest.raises(AssetsMissing, match=r"run `python web/build\.py`"):
        Assets(tmp_path)


def test_incomplete_build_is_explained(static_dir: Path) -> None:
    with pytest.raises(AssetsMissing, match="no entry 'other'"):
        Assets(static_dir).file("other")


@pytest.mark.parametrize("mount", ["", "/meet"])
async def test_the_component_has_an_address_for_ever(client: httpx.AsyncClient, static_dir: Path, mount: str) -> None:
    content = (static_dir / "v1" / "openvidu-meet.js").read_bytes()
    address = f"{mount}/v1/openvidu-meet.js"
    answer = await client.get(address)
    etag = f'"{hashlib.sha256(content).hexdigest()}"'
    assert (answer.status_code, answer.content, answer.headers["etag"]) == (200, content, etag)
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["content-type"].startswith("text/javascript")
    assert (await client.get(address, headers={"If-None-Match": etag})).status_code == 304
