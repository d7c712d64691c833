"""LiveKit's ParticipantInfo as the domain's MediaParticipant."""

from __future__ import annotations

from typing import Final

from livekit.protocol import models as pb

from meet.core.model.media import MediaParticipant

_KINDS: Final = {number: name.lower() for name, number in pb.ParticipantInfo.Kind.items()}


def to_participant(info: pb.ParticipantInfo) -> MediaParticipant:
    """A kind newer than ours is `unknown`, never `standard`."""
    return MediaParticipant(
        identity=info.identity,
        sid=info.sid,
        name=info.name,
        metadata=info.metadata,
        is_publisher=info.is_publisher,
        kind=_KINDS.get(info.kind, "unknown"),
    )


def is_hidden(info: pb.ParticipantInfo) -> bool:
    """Recorders and other invisible participants."""
    return info.permission.hidden or info.permission.recorder or info.kind == pb.ParticipantInfo.Kind.EGRESS
