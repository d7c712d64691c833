"""/recordings: composing later, another layout, pausing, and what is known of a file."""

from __future__ import annotations

from meet.api.authentication import caller
from meet.api.services import services
from meet.core.model.recording_facts import KnownRecording
from meet.http import Call, Response, json_response


async def start_composed_recording(call: Call) -> Response:
    override = call.body.get("config", {})
    started = await services(call).recording_extras.start(
        caller(call),
        call.body["roomId"],
        layout=override.get("layout"),
        encoding=override.get("encoding"),
        compose=call.body.get("compose"),
        audio_only=call.body.get("audioOnly", False),
    )
    location = f"{call.base_url}/api/extra/v1/recordings/{started.recording.recording_id}"
    return json_response(201, started.to_document(), {"Location": location})


async def inspect_recording(call: Call) -> Response:
    return _known(await services(call).recording_extras.get(caller(call), call.params["recordingId"]))


async def set_recording_layout(call: Call) -> Response:
    extras = services(call).recording_extras
    return _known(await extras.set_layout(caller(call), call.params["recordingId"], call.body["layout"]))


async def pause_recording(call: Call) -> Response:
    return _known(await services(call).recording_extras.pause(caller(call), call.params["recordingId"]))


async def resume_recording(call: Call) -> Response:
    return _known(await services(call).recording_extras.resume(caller(call), call.params["recordingId"]))


def _known(recording: KnownRecording) -> Response:
    return json_response(200, recording.to_document())
