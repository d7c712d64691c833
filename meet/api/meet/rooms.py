"""/rooms: create, list, read, configure, delete (contract 2.2)."""

from __future__ import annotations

from typing import Any

from meet.api.authentication import caller
from meet.api.paging import page_request, room_name
from meet.api.selection import ROOM
from meet.api.services import services
from meet.api.spelling import spelled
from meet.core.edits import version_of
from meet.core.links import access_document, room_document
from meet.core.model.paging import RoomQuery
from meet.core.model.room import NewRoom, Room, RoomDeletion, RoomView
from meet.http import Call, Response, json_response, versions


async def create_room(call: Call) -> Response:
    body: dict[str, Any] = call.body
    date = body.get("autoDeletionDate")
    new = NewRoom(
        room_name=body["roomName"],
        auto_deletion_date=None if date is None else int(date),
        auto_deletion_policy=body.get("autoDeletionPolicy"),
        config=body.get("config"),
        roles=body.get("roles"),
        access=body.get("access"),
    )
    room = await services(call).rooms.create(caller(call), new)
    # The header names the room even when `fields` leaves the id out of the body.
    services(call).public.seen_by_integration(call.base_url)
    location = f"{call.base_url}/api/v1/rooms/{room.room_id}"
    return spelled(call, 201, _document(call, room), {"Location": location})


async def get_rooms(call: Call) -> Response:
    params = call.params
    query = RoomQuery(
        page_request(params),
        name=room_name(params),
        status=params.get("status"),
        owner=params.get("owner"),
        member=params.get("member"),
        user_access=params.get("userAccess", False),
    )
    page = await services(call).rooms.list(caller(call), query)
    return spelled(call, 200, ROOM.page(call, "rooms", page.map(lambda view: _view(call, view))))


async def bulk_delete_rooms(call: Call) -> Response:
    params = call.params
    result = await services(call).rooms.delete_many(
        caller(call),
        params["roomIds"],
        with_meeting=params["withMeeting"],
        with_recordings=params["withRecordings"],
    )
    failed = [{"roomId": item.room_id, "error": item.error, "message": item.message} for item in result.failed]
    message = (
        f"{len(failed)} room(s) failed to process while deleting"
        if failed
        else "All rooms successfully processed for deletion"
    )
    deleted = [{"roomId": item.room_id, **_deletion(call, item)} for item in result.deleted]
    return spelled(call, 400 if failed else 200, {"message": message, "deleted": deleted, "failed": failed})


async def get_room(call: Call) -> Response:
    view = await services(call).rooms.get(caller(call), call.params["roomId"])
    response = spelled(call, 200, ROOM.select(_view(call, view), ROOM.chosen(call)))
    response.version = version_of(view.room)
    return response


async def delete_room(call: Call) -> Response:
    params = call.params
    result = await services(call).rooms.delete(
        caller(call),
        params["roomId"],
        with_meeting=params["withMeeting"],
        with_recordings=params["withRecordings"],
    )
    return spelled(call, 202 if result.deferred else 200, _deletion(call, result))


async def get_room_config(call: Call) -> Response:
    room = (await services(call).rooms.get(caller(call), call.params["roomId"])).room
    response = json_response(200, room.config)
    response.version = version_of(room)
    return response


async def update_room_config(call: Call) -> Response:
    config = await services(call).rooms.update_config(
        caller(call), call.params["roomId"], call.body["config"], versions=_wanted(call)
    )
    return json_response(200, config)


async def update_room_status(call: Call) -> Response:
    update = await services(call).rooms.update_status(
        caller(call), call.params["roomId"], call.body["status"], versions=_wanted(call)
    )
    return spelled(call, 202 if update.deferred else 200, _document(call, update.room))


async def update_room_roles(call: Call) -> Response:
    roles = await services(call).rooms.update_roles(
        caller(call), call.params["roomId"], call.body["roles"], versions=_wanted(call)
    )
    return spelled(call, 200, roles)


async def update_room_access(call: Call) -> Response:
    room = await services(call).rooms.update_access(
        caller(call), call.params["roomId"], call.body["access"], versions=_wanted(call)
    )
    return json_response(200, access_document(room, call.base_url))


def _wanted(call: Call) -> frozenset[str] | None:
    return versions(call.params.get("If-Match"))


def _view(call: Call, view: RoomView) -> dict[str, Any]:
    return room_document(view.room, call.base_url, links=view.permissions["canShareAccessLinks"])


def _document(call: Call, room: Room) -> dict[str, Any]:
    """For callers who manage the room: they always see its links."""
    return ROOM.select(room_document(room, call.base_url), ROOM.chosen(call))


def _deletion(call: Call, result: RoomDeletion) -> dict[str, Any]:
    return {
        "successCode": result.success_code,
        "message": result.message,
        "room": None if result.room is None else _document(call, result.room),
    }
