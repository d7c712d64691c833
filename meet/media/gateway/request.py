"""What a client asks for when it connects, v0 (query parameters) and v1 (a protobuf message in one parameter)."""

from __future__ import annotations

import base64
import binascii
import gzip
import io
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from google.protobuf.message import DecodeError
from livekit.protocol import rtc as sig

_MAX_JOIN_REQUEST = 256 * 1024
_GZIP = 1
_URL_SAFE = str.maketrans("+/", "-_")


class BadRequest(Exception):
    """The connection request cannot be understood."""


@dataclass(frozen=True)
class ConnectRequest:
    """Both versions in one shape. `offer` and `add_tracks` only with v1."""

    single_pc: bool
    sdk: str = ""
    auto_subscribe: bool = True
    reconnect: bool = False
    participant_sid: str = ""
    client_protocol: int = 0
    metadata: str = ""
    attributes: dict[str, str] = field(default_factory=dict)
    offer: sig.SessionDescription | None = None
    add_tracks: tuple[sig.AddTrackRequest, ...] = ()


def read_request(query: Mapping[str, str], *, single_pc: bool) -> ConnectRequest:
    """The request of either path. single_pc: it came on the v1 path. Raises BadRequest.

    Before there was a v1 path, the first SDKs with one peer connection sent their join_request to the v0 path.
    """
    return from_v1(query) if single_pc or "join_request" in query else from_v0(query)


def from_v0(query: Mapping[str, str]) -> ConnectRequest:
    protocol = query.get("client_protocol", "")
    return ConnectRequest(
        single_pc=False,
        sdk=query.get("sdk", ""),
        auto_subscribe=query.get("auto_subscribe", "1") in ("1", "true"),
        reconnect=query.get("reconnect") in ("1", "true"),
        participant_sid=query.get("sid", ""),
        client_protocol=int(protocol) if re.fullmatch("[0-9]{1,4}", protocol) else 0,
    )


def from_v1(query: Mapping[str, str]) -> ConnectRequest:
    """Decode `join_request`: base64 of either alphabet (padding optional) of a possibly gzipped JoinRequest.

    Raises BadRequest.
    """
    encoded = query.get("join_request")
    if encoded is None:
        raise BadRequest("join_request is missing")
    try:
        wrapped = sig.WrappedJoinRequest.FromString(
            base64.b64decode(encoded.translate(_URL_SAFE) + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True)
        )
        raw = wrapped.join_request
        if wrapped.compression == _GZIP:
            with gzip.GzipFile(fileobj=io.BytesIO(raw)) as stream:
                raw = stream.read(_MAX_JOIN_REQUEST + 1)
        if len(raw) > _MAX_JOIN_REQUEST:
            raise BadRequest("join request is too large")
        request = sig.JoinRequest.FromString(raw)
    except (binascii.Error, zlib.error, DecodeError, OSError, EOFError, ValueError) as error:
        raise BadRequest("join_request cannot be decoded") from error
    return ConnectRequest(
        single_pc=True,
        auto_subscribe=request.connection_settings.auto_subscribe,
        reconnect=request.reconnect,
        participant_sid=request.participant_sid,
        client_protocol=request.client_info.client_protocol,
        metadata=request.metadata,
        attributes=dict(request.participant_attributes),
        offer=request.publisher_offer if request.publisher_offer.sdp else None,
        add_tracks=tuple(request.add_track_requests),
    )
