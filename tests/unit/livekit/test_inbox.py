"""Inbound webhooks: verified, deduplicated, dispatched in the domain's words."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import jwt
import pytest
from livekit.protocol import egress as proto
from livekit.protocol import models as pb
from livekit.protocol.webhook import WebhookEvent

from meet.core.model.media import MediaParticipant
from meet.core.model.recording import Egress
from meet.livekit import InvalidWebhook, WebhookInbox, WebhookVerifier
from meet.media.hooks.events import encode
from meet.media.hooks.signing import sign

KEY, SECRET = "devkey", "a-secret-that-is-long-enough-for-hs256"
FAR = 4_000_000_000


class Handler:
    """Keeps the calls; `broken` makes each one fail."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self.broken = False

    def _note(self, *call: Any) -> None:
        if self.broken:
            raise RuntimeError("database is locked")
        self.calls.append(call)

    async def room_started(self, room: str, metadata: str | None) -> None:
        self._note("started", room, metadata)

    async def room_finished(self, room: str, metadata: str | None) -> None:
        self._note("finished", room, metadata)

    async def participant_joined(self, room: str, participant: MediaParticipant) -> None:
        self._note("joined", room, participant.identity, participant.kind)

    async def participant_left(self, room: str, participant: MediaParticipant) -> None:
        self._note("left", room, participant.identity, participant.kind)

    async def egress_changed(self, egress: Egress) -> None:
        self._note("egress", egress.egress_id, egress.status, egress.key)


@pytest.fixture
def handler() -> Handler:
    return Handler()


@pytest.fixture
def inbox(handler: Handler) -> WebhookInbox:
    return WebhookInbox(WebhookVerifier(KEY, SECRET), handler)


async def post(inbox: WebhookInbox, event: WebhookEvent) -> None:
    body = encode(event)
    await inbox.deliver(body, sign(body, KEY, SECRET))


def recording(**changes: Any) -> proto.EgressInfo:
    composite = proto.RoomCompositeEgressRequest(
        room_name="a", file_outputs=[proto.EncodedFileOutput(filepath="p/a--x")]
    )
    return proto.EgressInfo(egress_id="EG_1", room_name="a", room_composite=composite, **changes)


async def test_every_event_in_order(inbox: WebhookInbox, handler: Handler) -> None:
    member = pb.ParticipantInfo(identity="ann", sid="PA_1")
    agent = pb.ParticipantInfo(identity="bot", kind=pb.ParticipantInfo.Kind.AGENT)
    room = pb.Room(name="a")
    for event in (
        WebhookEvent(event="room_started", room=pb.Room(name="a", metadata="{}")),
        WebhookEvent(event="participant_joined", room=room, participant=member),
        WebhookEvent(event="track_published", room=room, participant=member),
        WebhookEvent(event="egress_started", egress_info=recording()),
        WebhookEvent(
            event="egress_updated",
            egress_info=recording(status=proto.EgressStatus.EGRESS_ACTIVE),
        ),
        WebhookEvent(event="participant_left", room=room, participant=agent),
        WebhookEvent(event="room_finished", room=room),
    ):
        await post(inbox, event)
    assert handler.calls == [
        ("started", "a", "{}"),
        ("joined", "a", "ann", "standard"),
        ("egress", "EG_1", "starting", "p/a--x.mp4"),
        ("egress", "EG_1", "active", "p/a--x.mp4"),
        ("left", "a", "bot", "agent"),
        ("finished", "a", None),
    ]


async def test_egress_that_is_no_recording_is_not_shown(inbox: WebhookInbox, handler: Handler) -> None:
    stream = recording(stream_results=[proto.StreamInfo(url="rtmp://x")])
    for info in (stream, proto.EgressInfo(egress_id="EG_2", web=proto.WebEgressRequest(url="http://x"))):
        await post(inbox, WebhookEvent(event="egress_started", egress_info=info))
    assert handler.calls == []


async def test_a_repetition_is_ignored_unless_the_first_failed(inbox: WebhookInbox, handler: Handler) -> None:
    event = WebhookEvent(event="room_started", id="EV_1", room=pb.Room(name="a"))
    handler.broken = True
    with pytest.raises(RuntimeError):
        await post(inbox, event)
    handler.broken = False
    await post(inbox, event)
    await post(inbox, event)
    await post(inbox, WebhookEvent(event="room_started", id="EV_1", room=pb.Room(name="b")))
    assert handler.calls == [("started", "a", None), ("started", "b", None)]


BODY = encode(WebhookEvent(event="room_started", id="EV_1", room=pb.Room(name="a")))
HASH = base64.b64encode(hashlib.sha256(BODY).digest()).decode()


def token(secret: str = SECRET, **claims: Any) -> str:
    return jwt.encode({"iss": KEY, "exp": FAR, "sha256": HASH} | claims, secret, algorithm="HS256")


@pytest.mark.parametrize(
    ("body", "authorization"),
    [
        (BODY, None),
        (BODY, ""),
        (BODY, "nonsense"),
        (BODY, token("another-secret-that-is-long-enough")),
        (BODY, token(iss="somebody")),
        (BODY, token(exp=1)),
        (BODY, token(sha256="")),
        (BODY, token(sha256="***")),
        (BODY, token(sha256=None)),
        (BODY, jwt.encode({"iss": KEY, "sha256": HASH}, SECRET, algorithm="HS256")),
        (BODY, jwt.encode({"iss": KEY, "exp": FAR, "sha256": HASH}, "", algorithm="none")),
        (BODY + b" ", token()),
        (BODY.replace(b'"a"', b'"b"'), token()),
        (b"\xff", token(sha256=base64.b64encode(hashlib.sha256(b"\xff").digest()).decode())),
        (b"{", token(sha256=base64.b64encode(hashlib.sha256(b"{").digest()).decode())),
    ],
    ids=[
        "no header",
        "empty header",
        "no token",
        "another secret",
        "another issuer",
        "expired",
        "empty hash",
        "no base64",
        "hash is null",
        "no expiry",
        "algorithm none",
        "longer body",
        "another body",
        "body is no text",
        "body is cut",
    ],
)
async def test_forgeries(inbox: WebhookInbox, handler: Handler, body: bytes, authorization: str | None) -> None:
    with pytest.raises(InvalidWebhook) as caught:
        await inbox.deliver(body, authorization)
    assert "eyJ" not in str(caught.value)
    assert handler.calls == []


@pytest.mark.parametrize("prefix", ["", "Bearer "])
async def test_a_genuine_one(inbox: WebhookInbox, handler: Handler, prefix: str) -> None:
    await inbox.deliver(BODY, prefix + token())
    assert handler.calls == [("started", "a", None)]
