"""What the media server tells about participants."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaParticipant:
    """A participant as the media server reports it. `kind` is `standard`, `ingress`, `egress`, `sip` or `agent`."""

    identity: str
    sid: str
    name: str = ""
    metadata: str = ""
    is_publisher: bool = False
    kind: str = "standard"
