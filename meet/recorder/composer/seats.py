"""Who is seen: the one on stage, and who gets the places when there are more people than places. Damped, so that the
picture never flickers. Keys stand for tiles; times are µs on the journal's clock."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final, Generic, TypeVar

Key = TypeVar("Key")

HOLD_US: Final = 1_500_000
"""Nothing that was put into its place because of somebody's voice changes again before that."""
LEAD_US: Final = 700_000
"""So long somebody must have been the loudest to get the stage: a cough does not."""
PAUSE_US: Final = 1_000_000
"""A longer silence is none between two phrases."""
QUIET_US: Final = 10_000_000
"""Who has no picture and has not spoken for so long gives way to somebody who has one."""


class Stage(Generic[Key]):
    """The damped active speaker."""

    def __init__(self) -> None:
        self._on: Key | None = None
        self._since = 0
        self._rival: Key | None = None
        self._heard = 0
        """For how long the rival has been the loudest, pauses between phrases left out."""
        self._talks = False
        self._looked = self._last_heard = 0

    def pick(self, present: Sequence[Key], speaking: Sequence[Key], now: int) -> Key | None:
        """Who is on stage now; None when nobody is present. speaking: loudest first."""
        loudest = next((key for key in speaking if key in present), None)
        self._listen(loudest, now)
        if self._on not in present:
            self._put(loudest if loudest is not None else next(iter(present), None), now)
        elif self._talks and self._heard >= LEAD_US and now - self._since >= HOLD_US:
            self._put(loudest, now)
        return self._on

    def _listen(self, loudest: Key | None, now: int) -> None:
        """Who else is the loudest, and for how long. Who is on stage, or a third one, ends that at once."""
        if self._talks:
            self._heard, self._last_heard = self._heard + now - self._looked, now
        self._looked, self._talks = now, loudest is not None and loudest != self._on
        if self._talks and loudest != self._rival:
            self._rival, self._heard = loudest, 0
        elif loudest == self._on or now - self._last_heard > PAUSE_US:
            self._rival, self._heard = (loudest if self._talks else None), 0

    def _put(self, key: Key | None, now: int) -> None:
        self._on, self._since, self._rival, self._talks = key, now, None, False


class Seats(Generic[Key]):
    """Places that keep their people. Who leaves makes room for who spoke last; a speaker without a place takes that of
    the one who has been silent longest, and who has a picture that of one who has none and is silent."""

    def __init__(self) -> None:
        self._seats: list[Key] = []
        self._since: dict[Key, int] = {}
        self._spoke: dict[Key, int] = {}

    def pick(
        self, present: Sequence[Key], places: int, speaking: Sequence[Key], now: int, preferred: Collection[Key] = ()
    ) -> list[Key]:
        """Who is seen, in order of their places. preferred (with a picture) goes first when places are few."""
        here = set(present)
        self._spoke = {key: at for key, at in self._spoke.items() if key in here}
        self._spoke.update((key, now) for key in speaking if key in here)
        while len(self._seats) > places:  # the last of those who matter least
            self._seats.remove(
                min(reversed(self._seats), key=lambda key: self._matters(key, here, speaking, preferred))
            )
        taken = set(self._seats)
        waiting = [key for key in present if key not in taken]
        if len(present) > places:
            waiting.sort(key=lambda key: (key not in preferred, -self._spoke.get(key, -1)))
        seats: list[Key] = []
        for key in self._seats:
            if key in here:
                seats.append(key)
            elif waiting:
                seats.append(self._sit(waiting.pop(0), now))
        while waiting and len(seats) < places:
            seats.append(self._sit(waiting.pop(0), now))
        for key in speaking:
            if key in waiting and (place := self._weakest(seats, speaking, preferred, now)) is not None:
                seats[place] = self._sit(key, now)
                waiting.remove(key)
        for key in [key for key in waiting if key in preferred]:
            if (place := self._faceless(seats, speaking, preferred, now)) is not None:
                seats[place] = self._sit(key, now)
        self._seats = seats
        return list(seats)

    def _sit(self, key: Key, now: int) -> Key:
        self._since[key] = now
        return key

    def _matters(
        self, key: Key, here: Collection[Key], speaking: Sequence[Key], preferred: Collection[Key]
    ) -> tuple[bool, bool, bool, int]:
        return key in here, key in speaking, key in preferred, self._spoke.get(key, -1)

    def _weakest(
        self, seats: Sequence[Key], speaking: Sequence[Key], preferred: Collection[Key], now: int
    ) -> int | None:
        able = [
            place
            for place, key in enumerate(seats)
            if key not in speaking and now - max(self._since[key], self._spoke.get(key, -1)) >= HOLD_US
        ]
        return min(able, key=lambda p: (seats[p] in preferred, self._spoke.get(seats[p], -1)), default=None)

    def _faceless(
        self, seats: Sequence[Key], speaking: Sequence[Key], preferred: Collection[Key], now: int
    ) -> int | None:
        """Whose place goes to somebody who can be seen."""
        able = [
            place
            for place, key in enumerate(seats)
            if key not in preferred
            and key not in speaking
            and now - self._since[key] >= HOLD_US
            and (key not in self._spoke or now - self._spoke[key] >= QUIET_US)
        ]
        return min(able, key=lambda place: self._spoke.get(seats[place], -1), default=None)
