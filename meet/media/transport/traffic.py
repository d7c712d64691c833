"""What went over one peer connection, counted."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(slots=True)
class Traffic:
    """RTP packets and bytes (header and payload, without encryption), and the repairs and key frames asked for.

    in: from the client; out: to it. `nacks` count packets that were asked for, `lost` packets that never came.
    """

    packets_in: int = 0
    bytes_in: int = 0
    packets_out: int = 0
    bytes_out: int = 0
    nacks_in: int = 0
    nacks_out: int = 0
    plis_in: int = 0
    plis_out: int = 0
    retransmitted: int = 0

    def add(self, other: Traffic) -> None:
        """Count the other's in."""
        for each in fields(self):
            setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))

    def as_dict(self) -> dict[str, int]:
        return {each.name: getattr(self, each.name) for each in fields(self)}
