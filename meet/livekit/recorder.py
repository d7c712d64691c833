"""The domain's Recorder port: our own Twirp service beside LiveKit's (`meet/media/twirp/egress_extra.py`)."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, Final, TypeVar

import aiohttp
from google.protobuf import json_format
from google.protobuf.message import Message
from google.protobuf.struct_pb2 import Struct
from livekit import api
from livekit.api.twirp_client import TwirpClient

from meet.core.model.encoding import Encoding, Layout
from meet.core.model.recording import TERMINAL, Egress
from meet.core.model.recording_facts import COMPOSE, Compose, Integrity, RecordingFacts
from meet.core.recording_errors import EgressSilent, RecorderMissing
from meet.livekit.calling import calling, of_egress, starting
from meet.livekit.egress import composite_request, to_egress

M = TypeVar("M", bound=Message)

_COUNTS: Final = (
    "frames",
    "frames_repeated",
    "frames_left_out",
    "video_gaps",
    "audio_gaps",
    "pauses",
    "frames_quarantined",
    "tracks_given_up",
    "absences",
    "damaged_records",
    "damaged_bytes",
)


class OwnRecorder:
    """Implements `meet.core.recorder_ports.Recorder`. url as for LiveKitMediaServer; the session stays the caller's."""

    def __init__(self, url: str, api_key: str, api_secret: str, session: aiohttp.ClientSession) -> None:
        self._key, self._secret = api_key, api_secret
        self._client = TwirpClient(session, url, "meet", failover=False)

    async def start(
        self, room: str, *, layout: Layout, encoding: Encoding, key: str, compose: Compose, audio_only: bool = False
    ) -> Egress:
        """Start recording `room` into `key`. Raises RecordingRefused, ValidationFailed (encoding)."""
        request = json_format.MessageToDict(
            composite_request(room, layout, encoding, key, audio_only), preserving_proto_field_name=True
        )
        body = {"request": request, "compose": compose}
        with starting(room), _ours("choose when to compose a recording"):
            return to_egress(await self._call("StartRoomCompositeEgress", body, api.EgressInfo))
        raise AssertionError("unreachable")

    async def set_paused(self, egress_id: str, paused: bool) -> RecordingFacts:
        """Pause, or go on. Raises EgressNotFound, EgressNotActive, EgressSilent."""
        word = "pausing" if paused else "resuming"
        with calling(f"{word} egress '{egress_id}'"), _ours("pause recordings"), of_egress(egress_id):
            try:
                return await self._ask("PauseEgress" if paused else "ResumeEgress", egress_id)
            except api.ServerError as error:
                if error.code == api.ServerErrorCode.DEADLINE_EXCEEDED:
                    raise EgressSilent(egress_id) from error
                raise
        raise AssertionError("unreachable")

    async def facts(self, egress_id: str) -> RecordingFacts | None:
        """What is known of it; None when nothing is."""
        with calling(f"getting egress '{egress_id}'"), _ours("tell more about recordings"):
            try:
                return await self._ask("GetEgress", egress_id)
            except api.ServerError as error:
                if error.code == api.ServerErrorCode.NOT_FOUND:
                    return None
                raise
        raise AssertionError("unreachable")

    async def _ask(self, method: str, egress_id: str) -> RecordingFacts:
        return _facts(json_format.MessageToDict(await self._call(method, {"egress_id": egress_id}, Struct)))

    async def _call(self, method: str, body: dict[str, Any], answer: type[M]) -> M:
        token = api.AccessToken(self._key, self._secret).with_grants(api.VideoGrants(room_record=True)).to_jwt()
        message = Struct()
        message.update(body)
        return await self._client.request("Egress", method, message, {"Authorization": f"Bearer {token}"}, answer)


@contextlib.contextmanager
def _ours(what: str) -> Iterator[None]:
    """A LiveKit server has no such service: it says so in Twirp's words, or with a bare 404."""
    try:
        yield
    except api.ServerError as error:
        unknown = error.code in (api.ServerErrorCode.BAD_ROUTE, api.ServerErrorCode.UNIMPLEMENTED)
        if unknown or (error.status == 404 and error.code != api.ServerErrorCode.NOT_FOUND):
            raise RecorderMissing(what) from error
        raise


def _facts(body: dict[str, Any]) -> RecordingFacts:
    integrity = body.get("integrity")
    return RecordingFacts(
        paused=body.get("paused") is True,
        final=body.get("status") in TERMINAL,
        compose=next((mode for mode in COMPOSE if mode == body.get("compose")), None),
        integrity=_integrity(integrity) if isinstance(integrity, dict) else None,
    )


def _integrity(told: dict[str, Any]) -> Integrity | None:
    """Every number comes as a float; without size and checksum the rest says nothing."""
    sha256, size, duration = told.get("sha256"), _number(told.get("size")), _number(told.get("duration_s"))
    if not isinstance(sha256, str) or size is None or duration is None:
        return None
    offset_ms, paused_s = _number(told.get("worst_offset_ms")), _number(told.get("paused_s"))
    counts = {name: round(value) for name in _COUNTS if (value := _number(told.get(name))) is not None}
    return Integrity(
        sha256=sha256,
        size=round(size),
        duration_s=duration,
        worst_offset_s=None if offset_ms is None else offset_ms / 1000,
        paused_s=paused_s,
        absent_s=_number(told.get("absent_s")),
        **counts,
    )


def _number(value: object) -> float | None:
    return value if isinstance(value, float) else None
