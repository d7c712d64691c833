"""Moderators at work in a meeting: promote, demote, remove, end for everyone, choose what is recorded. Real server."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from playwright.async_api import expect

from meet.demo.api import Api
from meet.demo.server import Server
from tests.e2e.browser import pages

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.timeout(300)
async def test_moderator_promotes_removes_and_ends(shared_server: Server, shared_api: Api) -> None:
    room = await shared_api.create_room("Assembly")
    links = room["access"]["anonymous"]
    async with pages.chromium() as browser:
        ada, grace, alan = people_in = await pages.windows(browser, 3)
        complaints = pages.Complaints(shared_server.url, *(page.context for page in people_in))
        await pages.join_room(ada, links["moderator"]["url"], "Ada", camera=False)
        await pages.join_room(grace, links["speaker"]["url"], "Grace", camera=False)
        await pages.join_room(alan, links["speaker"]["url"], "Alan", camera=False)

        await grace.get_by_test_id("people-button").click()
        people = grace.get_by_test_id("person")
        await expect(people).to_have_count(3)
        await expect(people.filter(has_text="Ada").get_by_test_id("badge")).to_have_text("Moderator")
        await expect(grace.get_by_test_id("promote")).to_have_count(0)
        await expect(grace.get_by_test_id("end-button")).to_be_hidden()

        await ada.get_by_test_id("people-button").press("Enter")
        await expect(ada.get_by_role("button", name="Close list of people")).to_be_focused()
        await ada.get_by_role("button", name="Make Grace a moderator").press("Enter")
        await expect(grace.get_by_text("You are a moderator now.")).to_be_visible()
        await expect(grace.get_by_test_id("record-button")).to_be_visible()
        await expect(grace.get_by_test_id("end-button")).to_be_visible()
        await expect(ada.get_by_test_id("person").filter(has_text="Grace").get_by_test_id("badge")).to_be_visible()

        await grace.get_by_role("button", name="Remove Alan").click()
        await grace.get_by_role("button", name="Cancel").click()
        await grace.get_by_role("button", name="Remove Alan").click()
        await grace.get_by_test_id("choose-yes").click()
        await expect(alan.get_by_test_id("left")).to_contain_text("You were removed")
        await pages.wait_tiles(ada, 2)

        await ada.get_by_role("button", name="Take moderator rights from Grace").click()
        await expect(grace.get_by_text("You are no longer a moderator.")).to_be_visible()
        await expect(grace.get_by_test_id("record-button")).to_be_hidden()

        await ada.get_by_test_id("chat-button").click()
        await expect(ada.get_by_test_id("people")).to_be_hidden()  # one panel at a time
        await ada.get_by_test_id("people-button").click()
        await ada.get_by_test_id("end-button").click()
        await ada.get_by_test_id("choose-yes").click()
        for page in (ada, grace):
            await expect(page.get_by_test_id("left")).to_contain_text("The meeting has ended")
        assert complaints.found == []


@pytest.mark.timeout(300)
async def test_changed_rights_of_a_member_reach_the_meeting(shared_server: Server, shared_api: Api) -> None:
    room_id = (await shared_api.create_room("Members"))["roomId"]
    members = f"/api/v1/rooms/{room_id}/members"
    member = await shared_api.call("POST", members, {"name": "Grace", "baseRole": "speaker"})
    async with pages.chromium() as browser:
        page = await browser.new_page()
        await page.goto(member["accessUrl"])
        await expect(page.get_by_test_id("join-name")).to_have_value("Grace")
        await page.get_by_test_id("join-button").click()
        await expect(page.get_by_test_id("leave-button")).to_be_visible()
        await expect(page.get_by_test_id("record-button")).to_be_hidden()
        await shared_api.call("PUT", f"{members}/{member['memberId']}", {"customPermissions": {"canRecord": True}})
        await expect(page.get_by_test_id("record-button")).to_be_visible()
        await shared_api.call("DELETE", f"{members}/{member['memberId']}")
        await expect(page.get_by_test_id("left")).to_contain_text("You were removed")
        await page.get_by_test_id("rejoin-button").click()
        await expect(page.get_by_test_id("problem")).to_contain_text("You were removed")


@pytest.mark.timeout(300)
async def test_who_records_chooses_what_is_shown(shared_api: Api) -> None:
    """In the settings: the layout, before and meanwhile, and sound alone. Nobody else has that choice."""
    room = await shared_api.create_room("Choices", config={"recording": {"enabled": True, "layout": "speaker"}})
    links = room["access"]["anonymous"]
    async with pages.chromium() as browser:
        ada, late = await pages.windows(browser, 2)
        await pages.join_room(ada, links["moderator"]["url"], "Ada", camera=False)
        await pages.join_room(late, links["speaker"]["url"], "Late", camera=False)
        await late.get_by_test_id("settings-button").click()
        await expect(late.get_by_role("dialog", name="Settings")).to_be_visible()
        await expect(late.get_by_test_id("record-layout")).to_be_hidden()
        layout, sound = ada.get_by_test_id("record-layout"), ada.get_by_test_id("record-sound")
        done = ada.get_by_role("button", name="Done")

        async def running() -> dict[str, Any]:
            path = f"/api/v1/recordings?roomId={room['roomId']}&status=active"
            async with asyncio.timeout(60):
                while not (listed := (await shared_api.call("GET", path))["recordings"]):
                    await asyncio.sleep(0.1)
            return dict(listed[0])

        await ada.get_by_test_id("settings-button").click()
        await expect(layout).to_have_value("speaker")
        await layout.select_option("grid")
        await done.click()
        await pages.start_recording(ada)
        recording = await running()
        assert recording["layout"] == "grid"
        await ada.get_by_test_id("settings-button").click()
        await expect(sound).to_be_disabled()
        async with ada.expect_response(lambda answer: answer.url.endswith("/layout")) as answer:
            await layout.select_option("single-speaker")
        assert (await answer.value).ok
        assert (await running())["layout"] == "single-speaker"
        await done.click()
        await shared_api.call(
            "PUT", f"/api/extra/v1/recordings/{recording['recordingId']}/layout", {"layout": "speaker"}
        )
        await expect(layout).to_have_value("speaker")
        await pages.stop_recording(ada)

        await ada.get_by_test_id("settings-button").click()
        await sound.check()
        await expect(layout).to_be_disabled()
        await done.click()
        await pages.start_recording(ada)
        assert (await running())["filename"].endswith(".m4a")
        await pages.stop_recording(ada)
