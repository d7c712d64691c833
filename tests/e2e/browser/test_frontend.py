"""A web app in place of our pages: what OpenVidu Meet's own does (contract 7.6), in Chromium, against a real server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from playwright.async_api import Page, expect

from meet.demo.api import Api
from meet.demo.server import Server, ServerFailed
from tests.e2e.browser import pages

BUILD = Path(__file__).parents[2] / "support" / "frontend" / "public"
PASSWORD = "a-password-of-5"


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module")
def shared_environment() -> dict[str, str]:
    return {"MEET_FRONTEND_DIR": str(BUILD)}


class App:
    """The web app in one tab: its calls carry the tokens it has kept."""

    def __init__(self, page: Page) -> None:
        self.page = page

    async def open(self, url: str) -> dict[str, Any]:
        await self.page.goto(url)
        state: dict[str, Any] = await self.page.evaluate("app.booted")
        return state

    async def call(self, method: str, path: str, **options: Any) -> Any:
        answer = await self.page.evaluate("([m, p, o]) => app.call(m, p, o)", [method, path, options])
        self.status = answer["status"]
        return answer.get("body")

    async def expect(self, status: int, method: str, path: str, **options: Any) -> Any:
        body = await self.call(method, path, **options)
        assert self.status == status, (method, path, self.status, body)
        return body


@pytest.mark.timeout(300)
async def test_guest_starts_as_the_web_app_does(shared_server: Server, shared_api: Api) -> None:
    room = await shared_api.create_room("Embedded")
    room_id, access = room["roomId"], room["access"]["anonymous"]
    off = await shared_api.create_room("Off", access={"anonymous": {"speaker": {"enabled": False}}})
    guest = await shared_api.call("POST", f"/api/v1/rooms/{room_id}/members", {"name": "G", "baseRole": "speaker"})
    await shared_api.call("DELETE", f"/api/v1/rooms/{room_id}/members/{guest['memberId']}")
    async with pages.chromium() as browser:
        context = await browser.new_context()
        complaints = pages.Complaints(shared_server.url, context)
        app = App(await context.new_page())
        link = access["moderator"]["url"]
        assert link.startswith(f"{shared_server.url}/meet/room/"), "the base path of the web app"
        state = await app.open(link)
        assert state["view"] == "lobby"
        assert state["basePath"] == "/meet/"
        assert (state["themes"], state["captions"]) == ([], False)
        assert set(state["room"]) == {"roomName", "status", "_extraFields"}
        assert state["config"]["chat"] == {"enabled": True}
        assert await app.page.evaluate("document.documentElement.dataset.inline") == "ran"
        root = app.page.locator("app-root")
        assert await root.evaluate("(e) => getComputedStyle(e).color") == "rgb(1, 2, 3)"

        joined = await app.page.evaluate("(id) => app.join(id, 'Ada')", room_id)
        assert joined["bytes"] > 100, "the media server's first message"
        refreshed = await app.expect(200, "POST", f"internal-api/v1/rooms/{room_id}/members/token/refresh")
        assert refreshed["token"].count(".") == 2
        await app.expect(404, "DELETE", f"internal-api/v1/meetings/{room_id}/participants/nobody")
        listed = await app.expect(200, "GET", f"api/v1/recordings?roomId={room_id}&maxItems=10")
        assert listed["recordings"] == []
        await app.expect(200, "DELETE", f"internal-api/v1/meetings/{room_id}")
        assert await context.cookies() == []

        refusals = {
            f"{shared_server.url}/meet/room/{room_id}?secret=wrong": "invalid secret",
            f"{shared_server.url}/meet/room/{room_id}?secret={guest['memberId']}": "member removed",
            f"{shared_server.url}/room/nowhere-1?secret=0123456789": "room missing",
            off["access"]["anonymous"]["speaker"]["url"]: "access disabled",
        }
        for url, view in refusals.items():
            page = App(await context.new_page())
            assert (await page.open(url))["view"] == view
        await shared_api.call("PUT", f"/api/v1/rooms/{room_id}/status", {"status": "closed"})
        closed = App(await context.new_page())
        assert (await closed.open(link))["view"] == "lobby", "a closed room refuses only to join"
        assert (await closed.page.evaluate("(id) => app.join(id, 'Ada')", room_id))["view"] == "room closed"
        assert complaints.found == []


@pytest.mark.timeout(300)
async def test_other_sites_embed_it(shared_server: Server, shared_api: Api) -> None:
    room = await shared_api.create_room("Inline")
    link = room["access"]["anonymous"]["speaker"]["url"]
    html = (
        f'<script type="module" src="{shared_server.url}/meet/v1/openvidu-meet.js"></script>'
        f'<openvidu-meet room-url="{link}"></openvidu-meet><iframe src="{link}" allow="camera; microphone"></iframe>'
    )
    async with _site(html) as url, pages.chromium() as browser:
        page = await browser.new_page()
        await page.goto(url)
        await expect(page.locator("openvidu-meet")).to_have_text("Inline")
        await expect(page.frame_locator("iframe").locator("app-root")).to_have_text("lobby")


@asynccontextmanager
async def _site(html: str) -> AsyncIterator[str]:
    """Another origin with one page. Yields its address."""

    async def page(_request: web.Request) -> web.Response:
        return web.Response(text=html, content_type="text/html")

    app = web.Application()
    app.router.add_get("/", page)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


@pytest.mark.timeout(300)
async def test_everything_the_console_calls_is_answered(shared_server: Server) -> None:
    settings = shared_server.settings
    root = settings.initial_admin_user
    async with pages.chromium() as browser:
        context = await browser.new_context()
        app = App(await context.new_page())
        assert (await app.open(f"{shared_server.url}/meet/rooms/new?x=1"))["view"] == "rooms/new"
        login = "(([u, p]) => app.signIn(u, p))"
        refused = await app.page.evaluate(login, [root, "not the password"])
        assert (refused["status"], refused["body"]["message"]) == (404, "Invalid user ID or password")
        answer = await app.page.evaluate(login, [root, settings.initial_admin_password])
        assert set(answer["body"]) == {"message", "accessToken", "refreshToken"}
        refresh = {"X-Refresh-Token": f"Bearer {answer['body']['refreshToken']}"}
        assert "refreshToken" in await app.expect(200, "POST", "internal-api/v1/auth/refresh", headers=refresh)

        me = await app.expect(200, "GET", "internal-api/v1/users/me")
        first = await app.expect(200, "GET", "api/v1/users?sortField=registrationDate&sortOrder=asc&maxItems=1")
        assert me["userId"] == first["users"][0]["userId"] == root
        counts = await app.expect(200, "GET", "internal-api/v1/analytics")
        assert set(counts) == {"totalRooms", "activeRooms", "totalRecordings", "completeRecordings"}
        await _users(app)
        await _rooms(app)
        await _configuration(app)
        for path in ("api/v1/docs/", "health", "v1/openvidu-meet.js"):
            answer = await context.request.get(f"{shared_server.url}/meet/{path}")
            assert answer.status == 200, path
        assert (await app.expect(200, "POST", "internal-api/v1/auth/logout"))["message"] == "Logout successful"
        assert await context.cookies() == []


async def _users(app: App) -> None:
    user = {"userId": "grace_h", "name": "Grace", "role": "room_manager", "password": PASSWORD}
    await app.expect(201, "POST", "api/v1/users", body=user)
    await app.expect(200, "GET", "api/v1/users?maxItems=50&name=Gra&nameMatchMode=partial&nameCaseInsensitive=true")
    assert (await app.expect(200, "GET", "api/v1/users/grace_h"))["role"] == "room_manager"
    await app.expect(200, "PUT", "api/v1/users/grace_h/role", body={"role": "room_member"})
    await app.expect(200, "PUT", "api/v1/users/grace_h/password", body={"newPassword": PASSWORD})
    other = App(await (await app.page.context.browser.new_context()).new_page())  # type: ignore[union-attr]
    await other.open(app.page.url)
    signed = await other.page.evaluate("(p) => app.signIn('grace_h', p)", PASSWORD)
    assert signed["body"]["mustChangePassword"] is True
    refusal = await other.expect(403, "GET", "api/v1/rooms")
    assert "Password change required" in refusal["message"]
    change = {"currentPassword": PASSWORD, "newPassword": f"{PASSWORD}x"}
    changed = await other.expect(200, "POST", "internal-api/v1/users/change-password", body=change)
    assert {"accessToken", "refreshToken"} <= set(changed)
    await app.expect(200, "DELETE", "api/v1/users/grace_h")
    gone = await app.expect(400, "DELETE", "api/v1/users?userIds=grace_h")
    assert gone["failed"][0]["error"] == "User not found"


async def _rooms(app: App) -> None:
    empty = {"X-Fields": "", "X-ExtraFields": ""}
    options = {"roomName": "Console", "config": {"e2ee": {"enabled": False}, "captions": {"enabled": True}}}
    room = await app.expect(201, "POST", "api/v1/rooms", body=options, headers=empty)
    path = f"api/v1/rooms/{room['roomId']}"
    assert {"roomId", "access", "status", "_extraFields"} <= set(room), "empty headers mean: not given"
    query = "maxItems=50&sortField=creationDate&sortOrder=desc&roomName=cons&roomNameMatchMode=partial"
    assert len((await app.expect(200, "GET", f"api/v1/rooms?{query}&roomNameCaseInsensitive=true"))["rooms"]) == 1
    selected = await app.expect(200, "GET", f"{path}?fields=roomName&extraFields=config,roles")
    assert set(selected) == {"roomName", "config", "roles", "_extraFields"}
    await app.expect(200, "PUT", f"{path}/config", body={"config": {"chat": {"enabled": False}}})
    await app.expect(200, "PUT", f"{path}/roles", body={"roles": {"speaker": {"permissions": {"canRecord": True}}}})
    await app.expect(200, "PUT", f"{path}/access", body={"access": {"user": {"enabled": True}}})
    await app.expect(200, "PUT", f"{path}/status", body={"status": "closed"}, headers=empty)
    await app.expect(200, "PUT", f"{path}/status", body={"status": "open"}, headers=empty)
    member = await app.expect(201, "POST", f"{path}/members", body={"name": "Guest", "baseRole": "speaker"})
    one = f"{path}/members/{member['memberId']}"
    await app.expect(200, "PUT", one, body={"baseRole": "moderator", "customPermissions": {"canRecord": False}})
    assert (await app.expect(200, "GET", f"{one}?extraFields=effectivePermissions"))["effectivePermissions"]
    assert len((await app.expect(200, "GET", f"{path}/members?maxItems=50"))["members"]) == 1
    await app.expect(200, "DELETE", f"{path}/members?memberIds={member['memberId']}")
    await app.expect(200, "GET", "api/v1/recordings?maxItems=10&sortField=startDate&sortOrder=desc")
    await app.expect(404, "GET", f"api/v1/recordings/{room['roomId']}--EG_x--0123456789")
    await app.expect(200, "DELETE", f"{path}?withMeeting=fail&withRecordings=fail")
    failed = await app.expect(400, "DELETE", f"api/v1/rooms?roomIds={room['roomId']}&withMeeting=fail")
    assert failed["failed"][0]["error"] == "Room Error"


async def _configuration(app: App) -> None:
    assert len(await app.expect(200, "GET", "internal-api/v1/api-keys")) == 1
    assert (await app.expect(201, "POST", "internal-api/v1/api-keys"))["key"].startswith("ovmeet-")
    await app.expect(200, "DELETE", "internal-api/v1/api-keys")
    assert await app.expect(200, "GET", "internal-api/v1/api-keys") == []
    hooks = {"enabled": True, "url": "https://receiver.example/hook"}
    assert await app.expect(200, "PUT", "internal-api/v1/config/webhooks", body=hooks) == hooks
    assert await app.expect(200, "GET", "internal-api/v1/config/webhooks") == hooks
    await app.expect(400, "POST", "internal-api/v1/config/webhooks/test", body={"url": "http://127.0.0.1:9/"})
    assert "authentication" in await app.expect(200, "GET", "internal-api/v1/config/security")
    theme = {"name": "default", "enabled": True, "baseTheme": "dark", "primaryColor": "#0f766e"}
    body = {"appearance": {"themes": [theme]}}
    assert await app.expect(200, "PUT", "internal-api/v1/config/rooms/appearance", body=body) == body
    assert await app.expect(200, "GET", "internal-api/v1/config/rooms/appearance") == body


async def test_a_wrong_folder_is_one_clear_line_at_the_start(tmp_path: Path) -> None:
    server = Server(tmp_path / "data", env={"MEET_FRONTEND_DIR": str(tmp_path)})
    with pytest.raises(ServerFailed, match="did not start") as failed:
        await server.start()
    lines = str(failed.value).splitlines()
    assert sum("holds no index.html" in line for line in lines) == 1
    assert not any("Traceback" in line for line in lines)
