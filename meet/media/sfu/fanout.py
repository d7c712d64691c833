"""The seam of the hot path: one payload, many destinations.

Everything per subscriber is in the header; the payload object is shared. A native implementation may replace this
function without touching anything else.
"""

from __future__ import annotations

from collections.abc import Sequence

from meet.media.transport.peer import Peer


def fan_out(payload: bytes, destinations: Sequence[tuple[Peer, bytes]]) -> None:
    """Encrypt and send `header + payload` to every peer; one that is not connected is skipped."""
    for peer, header in destinations:
        session, path = peer.tx, peer.path
        if session is not None and path is not None:
            packet = header + payload
            traffic = peer.traffic
            traffic.packets_out += 1
            traffic.bytes_out += len(packet)
            peer.mux.send(session.protect(packet), path)
