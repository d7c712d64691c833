"""What a shared recording opens, to whom and until when; and saving it."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from meet.core.model.paging import PageRequest
from meet.core.model.share_link import ShareLink

from .calls import call
from .world import MOVIE, Scene

LINKS = "/api/extra/v1/recordings/{recording}/links"
READ = "/api/v1/recordings/{recording}"
HOUR = 3_600_000

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def share(scene: Scene, **body: Any) -> tuple[str, str]:
    """Id and secret of a new link."""
    made = (await call(scene, "POST", LINKS, 201, json=body)).json()
    url = urlsplit(made["url"])
    assert url.path == scene.fill("/meet/recording/{recording}")
    return made["linkId"], parse_qs(url.query)["recordingSecret"][0]


async def links_of(scene: Scene, recording_id: str) -> tuple[ShareLink, ...]:
    """As they are stored."""
    page = await scene.world.repositories.share_links.page(recording_id, PageRequest("creationDate"))
    return page.items


async def opens(scene: Scene, secret: str, status: int = 200, who: str = "nobody") -> None:
    """The same answer from everything that a link is for."""
    for path in (READ, f"{READ}/media", f"{READ}/download"):
        await call(scene, "GET", path, status, who=who, params={"recordingSecret": secret})


async def test_a_link_opens_what_the_recordings_own_url_opens(scene: Scene) -> None:
    await scene.add_recording()
    _, secret = await share(scene)
    await opens(scene, secret)
    old_name = await call(scene, "GET", f"{READ}/media", who="nobody", params={"secret": secret})
    assert old_name.content == MOVIE
    assert old_name.headers["cache-control"] == "private, max-age=3600"


async def test_a_private_link_asks_for_a_login(scene: Scene) -> None:
    await scene.add_recording()
    _, secret = await share(scene, privateAccess=True)
    await opens(scene, secret, 401)
    await opens(scene, secret, who="member")


async def test_a_link_ends_when_it_was_said_to(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    await scene.add_recording()
    now = scene.world.clock.now_ms()
    _, secret = await share(scene, expiresAt=now + HOUR)
    _, endless = await share(scene)
    await opens(scene, secret)
    clock = scene.world.core.sharing._clock
    monkeypatch.setattr(type(clock), "now_ms", lambda _: now + HOUR)
    refused = await call(scene, "GET", READ, 400, who="nobody", params={"recordingSecret": secret})
    assert refused.json() == {
        "error": "Recording Error",
        "message": scene.fill(f"Secret '{secret}' is not recognized for recording '{{recording}}'"),
    }
    await opens(scene, secret, 400)
    await opens(scene, endless)
    listed = (await call(scene, "GET", LINKS)).json()["links"]
    assert [each["expired"] for each in listed] == [False, True]


async def test_a_revoked_link_opens_nothing(scene: Scene) -> None:
    await scene.add_recording()
    link, secret = await share(scene)
    _, other = await share(scene)
    await call(scene, "DELETE", f"{LINKS}/{link}", who="speaker")
    await opens(scene, secret, 400)
    await opens(scene, other)
    await call(scene, "DELETE", f"{LINKS}/{link}", 404)


async def test_a_link_is_of_one_recording_only(scene: Scene) -> None:
    await scene.add_recording()
    link, secret = await share(scene)
    await scene.add_recording()
    await opens(scene, secret, 400)
    await call(scene, "DELETE", f"{LINKS}/{link}", 404)


async def test_links_follow_the_rooms_consent(scene: Scene) -> None:
    await scene.add_recording()
    _, public = await share(scene)
    _, private = await share(scene, privateAccess=True)
    off = {"access": {"anonymous": {"recording": {"enabled": False}}}}
    await call(scene, "PUT", "/api/v1/rooms/{room}/access", json=off)
    await opens(scene, public, 403)
    await opens(scene, private, who="member")


async def test_lists_are_paged_and_never_tell_secrets(scene: Scene) -> None:
    await scene.add_recording()
    made = [await share(scene) for _ in range(3)]
    first = await call(scene, "GET", LINKS, params={"maxItems": "2"})
    token = first.json()["pagination"]["nextPageToken"]
    second = await call(scene, "GET", LINKS, params={"maxItems": "2", "nextPageToken": token})
    found = [each["linkId"] for page in (first, second) for each in page.json()["links"]]
    assert found == [link for link, _ in reversed(made)]
    assert not any(secret in first.text + second.text for _, secret in made)


async def test_links_that_are_over_make_room_for_others(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("meet.core.sharing.MAX_LINKS", 2)
    await scene.add_recording()
    now = scene.world.clock.now_ms()
    await share(scene, expiresAt=now + HOUR)
    link, _ = await share(scene)
    refused = await call(scene, "POST", LINKS, 409, json={})
    assert refused.json()["message"] == scene.fill("Recording '{recording}' has 2 share links already")
    await call(scene, "DELETE", f"{LINKS}/{link}")
    await share(scene)
    clock = scene.world.core.sharing._clock
    monkeypatch.setattr(type(clock), "now_ms", lambda _: now + 2 * HOUR)
    await share(scene)
    await call(scene, "POST", LINKS, 409, json={})


async def test_secrets_are_not_kept(scene: Scene) -> None:
    recording = await scene.add_recording()
    _, secret = await share(scene)
    [stored] = await links_of(scene, recording.recording_id)
    assert secret not in repr(stored)
    assert stored.secret_hash != secret


async def test_links_go_with_the_recording(scene: Scene) -> None:
    recording = await scene.add_recording()
    await share(scene)
    await call(scene, "DELETE", READ)
    assert await links_of(scene, recording.recording_id) == ()


async def test_the_recordings_own_urls_can_be_taken_back(scene: Scene) -> None:
    recording = await scene.add_recording()
    _, link = await share(scene)
    revoke = "/api/extra/v1/recordings/{recording}/url/revoke"
    await call(scene, "POST", revoke, json={"access": "public"})
    await opens(scene, recording.public_secret, 400)
    await opens(scene, recording.private_secret, who="member")
    url = (await call(scene, "GET", f"{READ}/url")).json()["url"]
    await opens(scene, parse_qs(urlsplit(url).query)["recordingSecret"][0])
    await call(scene, "POST", revoke)
    await opens(scene, recording.private_secret, 400, who="member")
    await opens(scene, link)


async def test_a_recording_is_saved_under_its_name(scene: Scene) -> None:
    recording = await scene.add_recording()
    whole = await call(scene, "GET", f"{READ}/download")
    assert whole.content == MOVIE
    assert whole.headers["content-disposition"] == f'attachment; filename="{recording.filename}"'
    headers = {"Range": "bytes=100-", "If-Range": whole.headers["etag"]}
    rest = await call(scene, "GET", f"{READ}/download", 206, headers=headers)
    assert rest.content == MOVIE[100:]
    assert rest.headers["content-disposition"] == whole.headers["content-disposition"]
    head = await call(scene, "HEAD", f"{READ}/download", judged=False)
    assert head.content == b""
    assert head.headers["content-length"] == str(len(MOVIE))
    assert head.headers["content-disposition"] == whole.headers["content-disposition"]
