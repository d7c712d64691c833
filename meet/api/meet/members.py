"""/rooms/{roomId}/members: registered users and named guests of a room (contract 2.3)."""

from __future__ import annotations

from meet.api.authentication import caller
from meet.api.paging import page_request, text_match
from meet.api.selection import MEMBER
from meet.api.services import services
from meet.api.spelling import spelled
from meet.core.edits import version_of
from meet.core.links import member_document
from meet.core.model.member import MemberFilter, NewMember
from meet.core.model.room import RoomMember
from meet.http import Call, Response, json_response, versions


async def create_room_member(call: Call) -> Response:
    body = call.body
    new = NewMember(
        base_role=body["baseRole"],
        user_id=body.get("userId") or None,
        name=body.get("name"),
        custom_permissions=body.get("customPermissions"),
    )
    member = await services(call).members.create(caller(call), call.params["roomId"], new)
    location = f"{call.base_url}/api/v1/rooms/{member.room_id}/members/{member.member_id}"
    return _answer(call, 201, member, {"Location": location})


async def get_room_members(call: Call) -> Response:
    params = call.params
    wanted = MemberFilter(text_match(params, "name"), params.get("baseRole"), params.get("type"))
    page = await services(call).members.list(caller(call), params["roomId"], wanted, page_request(params))
    documents = page.map(lambda member: member_document(member, call.base_url))
    return spelled(call, 200, MEMBER.page(call, "members", documents))


async def bulk_delete_room_members(call: Call) -> Response:
    params = call.params
    result = await services(call).members.delete_many(caller(call), params["roomId"], params["memberIds"])
    failed = [{"memberId": item.member_id, "error": item.error} for item in result.failed]
    message = (
        f"{len(failed)} room member(s) could not be deleted" if failed else "All room members deleted successfully"
    )
    body = {"message": message, "deleted": list(result.deleted), "failed": failed}
    return json_response(400 if failed else 200, body)


async def get_room_member(call: Call) -> Response:
    params = call.params
    member = await services(call).members.get(caller(call), params["roomId"], params["memberId"])
    response = _answer(call, 200, member)
    response.version = version_of(member)
    return response


async def update_room_member(call: Call) -> Response:
    params = call.params
    member = await services(call).members.update(
        caller(call),
        params["roomId"],
        params["memberId"],
        base_role=call.body.get("baseRole"),
        custom_permissions=call.body.get("customPermissions"),
        versions=versions(params.get("If-Match")),
    )
    return _answer(call, 200, member)


async def delete_room_member(call: Call) -> Response:
    room_id, member_id = call.params["roomId"], call.params["memberId"]
    await services(call).members.delete(caller(call), room_id, member_id)
    return json_response(200, {"message": f"Member '{member_id}' deleted successfully from room '{room_id}'"})


def _answer(call: Call, status: int, member: RoomMember, headers: dict[str, str] | None = None) -> Response:
    document = MEMBER.select(member_document(member, call.base_url), MEMBER.chosen(call))
    return spelled(call, status, document, headers)
