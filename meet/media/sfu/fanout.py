"""The seam of the hot path: one payload, many destinations.

Everything per subscriber is in the lane; the payload object is shared. Where the compiled fast path is loaded, the mux
has an outbox, and that does all of this in one call (`meet/media/fastpath`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pylibsrtp

from meet.media.fastpath.srtp import seal
from meet.media.sfu.lane import Lane

if TYPE_CHECKING:
    from meet.media.fastpath import _native


def fan_out(
    payload: bytes,
    destinations: list[Lane | _native.Lane],
    sequence: int,
    timestamp: int,
    marker: int,
    descriptor: bytes,
    send_time: int,
    arrived: float,
    padding: bool = False,
) -> None:
    """Number, encrypt and send one packet to every lane, of which there is at least one.

    sequence, timestamp, marker (0 or 0x80): as received. descriptor: the codec's part that is rewritten for each
    subscriber. send_time: abs-send-time, 24 bits. arrived: seconds. A peer that is not connected is skipped; what a
    full socket or libsrtp refuses counts as dropped.
    """
    mux = destinations[0].peer.mux
    outbox = mux.outbox
    if outbox is not None and mux.drop is None and mux.shape is None:
        outbox.fan_out(payload, destinations, sequence, timestamp, marker, descriptor, send_time, arrived, padding)
        return
    send_each(payload, destinations, sequence, timestamp, marker, descriptor, send_time, arrived, padding)


def send_each(
    payload: bytes,
    destinations: Sequence[Lane | _native.Lane],
    sequence: int,
    timestamp: int,
    marker: int,
    descriptor: bytes,
    send_time: int,
    arrived: float,
    padding: bool = False,
) -> None:
    """The same in Python, for lanes of any kind."""
    for lane in destinations:
        header = lane.header(payload, sequence, timestamp, marker, descriptor, send_time, arrived, padding)
        if header is None:
            continue
        peer = lane.peer
        session, path = peer.tx, peer.path
        if session is None or path is None:
            continue
        try:
            sealed = seal(session, header, payload)
        except (pylibsrtp.Error, ValueError):
            peer.mux.give_up()
            continue
        traffic = peer.traffic
        traffic.packets_out += 1
        traffic.bytes_out += len(header) + len(payload)
        peer.mux.send(sealed, path)
