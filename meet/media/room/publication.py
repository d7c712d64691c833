"""A track that a participant published, as every client gets to know it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from meet.media.room.model import Layer, TrackKind, TrackSource

if TYPE_CHECKING:
    from meet.media.room.participant import Participant


@dataclass(eq=False)
class Publication:
    """State of one published track.

    `live` becomes true with the first media packet; until then nobody but the publisher knows of the track.
    `media` is the forwarding object of the SFU; the room layer carries it and never looks inside.
    """

    sid: str
    cid: str
    kind: TrackKind
    source: TrackSource
    owner: Participant
    name: str = ""
    mime_type: str = ""
    muted: bool = False
    width: int = 0
    height: int = 0
    layers: tuple[Layer, ...] = ()
    simulcast: bool = False
    stream: str = ""
    mid: str = ""
    disable_red: bool = True
    disable_dtx: bool = False
    stereo: bool = False
    encryption: int = 0
    audio_features: tuple[int, ...] = ()
    live: bool = False
    media: object | None = field(default=None, repr=False)
