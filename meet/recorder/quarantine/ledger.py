"""Deaths while composing, kept beside the journal, and what follows from them."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final, Self

import structlog

from meet.recorder import durable
from meet.recorder.jsonfile import read_object
from meet.recorder.quarantine.note import Left

log = structlog.get_logger(__name__)

_INSIDE_LIMIT: Final = 2
"""Deaths inside of a decoder with one input. One may be chance: somebody killed the process just then."""
_AFTER_LIMIT: Final = 3
"""The same, when it died in the same turn after decoding that input: memory it has damaged kills later."""
_RESTLESS: Final = 5
_RESTLESS_WITHIN_S: Final = 15 * 60.0
"""So many deaths while composing a meeting that is going on: from then on it is only journaled. Each has cost everybody
some tenths of a second. A composer that hangs dies every two minutes, so five of those fit, too."""
_PATIENT_UNTIL: Final = 3
_MAX_PAUSE_S: Final = 60.0
_AFRESH: Final = 4
_HOPELESS: Final = 12
_MAX_DEATHS: Final = 64


@dataclass(frozen=True)
class Death:
    """When (unix ms), and with which input (track 0 for none) inside of native code, or just behind it."""

    at_ms: int
    life: int
    track: int
    rtp: int
    inside: bool
    live: bool


@dataclass
class Ledger:
    """refused: the inputs, (track, rtp), that are not decoded any more; behind: of how many of these no decoder died.

    journal_only: nothing is composed before the meeting is over. furthest: the journal's time (µs) to which the best
    of the processes came that died while they composed after the meeting; barren: how many have died since, itself
    included, without a decoder that was clearly to blame.
    """

    refused: list[tuple[int, int]] = field(default_factory=list)
    behind: int = 0
    journal_only: bool = False
    furthest: int = 0
    barren: int = 0
    deaths: list[Death] = field(default_factory=list)

    @classmethod
    def read(cls, journal: Path) -> Self:
        """That of a journal folder; an empty one when there is none or it is damaged."""
        try:
            content = read_object(journal / "quarantine.json") or {}
            refused = [(int(track), int(rtp)) for track, rtp in content.pop("refused")]
            deaths = [Death(**death) for death in content.pop("deaths")]
            return cls(refused=refused, deaths=deaths, **content)
        except (OSError, ValueError, TypeError, KeyError):
            return cls()

    def write(self, journal: Path) -> None:
        """Durably. Raises OSError."""
        durable.replace(journal / "quarantine.json", json.dumps(asdict(self)).encode())

    @property
    def pause_s(self) -> float:
        """How long to wait before composing again what has killed everybody who tried."""
        return min(2.0 ** (self.barren - _PATIENT_UNTIL), _MAX_PAUSE_S) if self.barren > _PATIENT_UNTIL else 0.0

    @property
    def afresh(self) -> bool:
        """Try once without what earlier processes have left."""
        return self.barren == _AFRESH

    @property
    def hopeless(self) -> bool:
        """It has been tried often enough."""
        return self.barren >= _HOPELESS

    def count(self, left: Left) -> None:
        """A process has died and left this."""
        if any(death.life == left.life for death in self.deaths):
            return  # counted by one that did not get as far as to take the note away
        now_ms = time.time_ns() // 1_000_000
        self.deaths = self.deaths[1 - _MAX_DEATHS :]
        self.deaths.append(Death(now_ms, left.life, left.track, left.rtp, left.inside, left.live))
        log.error("composer_died", track=left.track, rtp=left.rtp, inside=left.inside, deaths=len(self.deaths))
        found = self._refuse(left.track, left.rtp) if left.track else False
        if left.live:
            since = now_ms - _RESTLESS_WITHIN_S * 1000
            if not self.journal_only and sum(d.live and d.at_ms >= since for d in self.deaths) >= _RESTLESS:
                self.journal_only = True
                log.error("recording_journaled_only", deaths=_RESTLESS)
        elif left.at > self.furthest:
            self.furthest, self.barren = left.at, 1
        elif found and left.inside:  # there was no doubt
            self.barren = 0
        else:
            self.barren += 1

    def _refuse(self, track: int, rtp: int) -> bool:
        """Leave the input out from now on, if it has killed often enough; True when that is new."""
        same = [death for death in self.deaths if (death.track, death.rtp) == (track, rtp)]
        inside = sum(death.inside for death in same) >= _INSIDE_LIMIT
        if not (inside or len(same) >= _AFTER_LIMIT) or (track, rtp) in self.refused:
            return False
        self.refused.append((track, rtp))
        self.behind += not inside
        log.error("frame_quarantined", track=track, rtp=rtp)
        return True
