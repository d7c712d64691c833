"""A peer's transport as SDP lines."""

from __future__ import annotations

from meet.media.sdp.write import TransportLines
from meet.media.transport.peer import Peer


def transport_lines(peer: Peer, fingerprint: str, setup: str) -> TransportLines:
    """ICE credentials, certificate fingerprint and candidates of the peer as they are now."""
    return TransportLines(
        ufrag=peer.ice.ufrag,
        pwd=peer.ice.pwd,
        fingerprint=fingerprint,
        candidates=tuple(c.line(i + 1) for i, c in enumerate(peer.mux.candidates)),
        setup=setup,
    )
