"""/recordings: start and stop, list, read, share, delete (contract 2.4, 4). Bytes are in `media`."""

from __future__ import annotations

from typing import Any

from meet.api.authentication import SecretHolder, caller
from meet.api.meet.media import download_recordings, get_recording_media
from meet.api.paging import page_request, room_name
from meet.api.selection import RECORDING
from meet.api.services import services
from meet.core.errors import Unauthorized
from meet.core.model.paging import RecordingQuery
from meet.core.model.recording import Recording
from meet.http import Call, Response, json_response

__all__ = [
    "bulk_delete_recordings",
    "delete_recording",
    "download_recordings",
    "get_recording",
    "get_recording_media",
    "get_recording_url",
    "get_recordings",
    "start_recording",
    "stop_recording",
]


async def start_recording(call: Call) -> Response:
    override = call.body.get("config", {})
    recording = await services(call).recordings.start(
        caller(call),
        call.body["roomId"],
        layout=override.get("layout"),
        encoding=override.get("encoding"),
    )
    return _with_location(call, 201, recording)


async def stop_recording(call: Call) -> Response:
    recording = await services(call).recordings.stop(caller(call), call.params["recordingId"])
    return _with_location(call, 202, recording)


async def get_recordings(call: Call) -> Response:
    params = call.params
    query = RecordingQuery(
        page_request(params),
        room_id=params.get("roomId"),
        name=room_name(params),
        status=params.get("status"),
    )
    page = await services(call).recordings.list(caller(call), query)
    return json_response(200, RECORDING.page(call, "recordings", page.map(Recording.to_document)))


async def get_recording(call: Call) -> Response:
    recordings = services(call).recordings
    recording_id = call.params["recordingId"]
    principal = call.principal
    if isinstance(principal, SecretHolder):
        try:
            recording = await recordings.get_with_secret(recording_id, principal.secret, principal.user)
        except Unauthorized as unauthorized:
            raise principal.refusal or unauthorized from None
    else:
        recording = await recordings.get(principal, recording_id)
    return json_response(200, _document(call, recording))


async def delete_recording(call: Call) -> Response:
    recording_id = call.params["recordingId"]
    await services(call).recordings.delete(caller(call), recording_id)
    return json_response(200, {"message": f"Recording '{recording_id}' deleted successfully"})


async def bulk_delete_recordings(call: Call) -> Response:
    result = await services(call).recordings.delete_many(caller(call), call.params["recordingIds"])
    failed = [{"recordingId": item.recording_id, "error": item.error} for item in result.failed]
    message = f"{len(failed)} recording(s) could not be deleted" if failed else "All recordings deleted successfully"
    body = {"message": message, "deleted": list(result.deleted), "failed": failed}
    return json_response(400 if failed else 200, body)


async def get_recording_url(call: Call) -> Response:
    # Any text but `true` asks for the public one: this parameter has no wrong values (contract 4.5).
    private = call.params["privateAccess"].lower() == "true"
    path = await services(call).recordings.share_path(caller(call), call.params["recordingId"], private=private)
    return json_response(200, {"url": call.base_url + path})


def _document(call: Call, recording: Recording) -> dict[str, Any]:
    return RECORDING.select(recording.to_document(), RECORDING.chosen(call))


def _with_location(call: Call, status: int, recording: Recording) -> Response:
    location = f"{call.base_url}/api/v1/recordings/{recording.recording_id}"
    return json_response(status, _document(call, recording), {"Location": location})
