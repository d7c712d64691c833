"""/recordings/{recordingId}/links and /url/revoke: sharing that can be taken back."""

from __future__ import annotations

from typing import Any

from meet.api.authentication import caller
from meet.api.paging import page_request, pagination
from meet.api.services import services
from meet.core.model.share_link import ShareLink
from meet.http import Call, Response, json_response


async def create_share_link(call: Call) -> Response:
    made = await services(call).sharing.create(
        caller(call),
        call.params["recordingId"],
        private=call.body["privateAccess"],
        expires_at=call.body.get("expiresAt"),
    )
    link = made.link
    place = f"{call.base_url}/api/extra/v1/recordings/{link.recording_id}/links/{link.link_id}"
    document = {**_document(link, expired=False), "url": call.base_url + made.path}
    return json_response(201, document, {"Location": place, "Cache-Control": "no-store"})


async def get_share_links(call: Call) -> Response:
    request = page_request({**call.params, "sortField": "creationDate"})
    sharing = services(call).sharing
    page = await sharing.list(caller(call), call.params["recordingId"], request)
    links = [_document(link, expired=sharing.is_over(link)) for link in page.items]
    return json_response(200, {"links": links, "pagination": pagination(page)})


async def revoke_share_link(call: Call) -> Response:
    link_id = call.params["linkId"]
    await services(call).sharing.revoke(caller(call), call.params["recordingId"], link_id)
    return json_response(200, {"message": f"Share link '{link_id}' revoked successfully"})


async def revoke_recording_urls(call: Call) -> Response:
    recording_id = call.params["recordingId"]
    await services(call).sharing.revoke_own(caller(call), recording_id, call.body["access"])
    return json_response(200, {"message": f"URLs of recording '{recording_id}' revoked successfully"})


def _document(link: ShareLink, *, expired: bool) -> dict[str, Any]:
    return {
        "linkId": link.link_id,
        "recordingId": link.recording_id,
        "privateAccess": link.private,
        "creationDate": link.created_at,
        "expiresAt": link.expires_at,
        "expired": expired,
    }
