"""Request and response bodies: protobuf or protobuf-JSON, as the content type says."""

from __future__ import annotations

from typing import Final, TypeVar

from aiohttp import web
from google.protobuf import json_format
from google.protobuf.message import DecodeError, Message

from meet.media.twirp.errors import TwirpError

PROTOBUF: Final = "application/protobuf"
JSON: Final = "application/json"
MAX_BODY: Final = 512 * 1024
"""Bytes of a request; the largest legitimate field is a data packet or metadata of up to 64 kB."""

_MAX_JSON_DEPTH: Final = 16

M = TypeVar("M", bound=Message)


async def read(request: web.Request, message_class: type[M]) -> M:
    """Parse the body. Raises bad_route (content type), resource_exhausted (size) or malformed."""
    if request.content_type not in (PROTOBUF, JSON):
        raise TwirpError("bad_route", f"unexpected Content-Type: {request.content_type}")
    body = await read_body(request)
    message = message_class()
    try:
        if request.content_type == PROTOBUF:
            message.ParseFromString(body)
        else:
            text = body.decode().strip() or "{}"
            if not text.startswith("{"):  # Parse would take an empty array for an empty message
                raise json_format.ParseError("not an object")
            json_format.Parse(text, message, ignore_unknown_fields=True, max_recursion_depth=_MAX_JSON_DEPTH)
    except (DecodeError, json_format.Error, UnicodeDecodeError, RecursionError):
        raise TwirpError("malformed", f"the body is not a {message_class.DESCRIPTOR.name}") from None
    return message


async def read_body(request: web.Request) -> bytes:
    """The whole body, refused as soon as it is known to be too long."""
    if (request.content_length or 0) > MAX_BODY:
        raise TwirpError("resource_exhausted", f"the body is longer than {MAX_BODY} bytes")
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.content.iter_any():
        size += len(chunk)
        if size > MAX_BODY:
            raise TwirpError("resource_exhausted", f"the body is longer than {MAX_BODY} bytes")
        chunks.append(chunk)
    return b"".join(chunks)


def answer(request: web.Request, message: Message) -> web.Response:
    """Encode the result the way the request was encoded; JSON uses proto names and shows defaults, as LiveKit does."""
    if request.content_type == PROTOBUF:
        return web.Response(body=message.SerializeToString(), content_type=PROTOBUF)
    text = json_format.MessageToJson(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True, indent=None
    )
    return web.Response(body=text.encode(), content_type=JSON)
