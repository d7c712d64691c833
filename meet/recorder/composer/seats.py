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


class Stage(Generic[Key]):
    """The damped active speaker."""

    def __init__(self) -> None:
        self._on: Key | None = None
        self._since = 0
        self._rival: Key | None = None
        self._rival_since = 0

    def pick(self, present: Sequence[Key], speaking: Sequence[Key], now: int) -> Key | None:
        """Who is on stage now; None when nobody is present. speaking: loudest first."""
        loudest = next((key for key in speaking if key in present), None)
        if self._on not in present:
            self._put(loudest if loudest is not None else next(iter(present), None), now)
        elif loudest is None or loudest == self._on:
            self._rival = None
        elif loudest != self._rival:
            self._rival, self._rival_since = loudest, now
        elif now - self._rival_since >= LEAD_US and now - self._since >= HOLD_US:
            self._put(loudest, now)
        return self._on

    def _put(self, key: Key | None, now: int) -> None:
        self._on, self._since, self._rival = key, now, None


class Seats(Generic[Key]):
    """Places that keep their people. Who leaves makes room for who spoke last; a speaker without a place takes that of
    the one who has been silent longest."""

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
        taken = set(self._seats)
        waiting = [key for key in present if key not in taken]
        if len(present) > places:
            waiting.sort(key=lambda key: (key not in preferred, -self._spoke.get(key, -1)))
        seats: list[Key] = []
        for key in self._seats[:places]:
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
        self._seats = seats
        return list(seats)

    def _sit(self, key: Key, now: int) -> Key:
        self._since[key] = now
        return key

    def _weakest(
        self, seats: Sequence[Key], speaking: Sequence[Key], preferred: Collection[Key], now: int
    ) -> int | None:
        able = [
            place
            for place, key in enumerate(seats)
            if key not in speaking and now - max(self._since[key], self._spoke.get(key, -1)) >= HOLD_US
        ]
        return min(able, key=lambda p: (seats[p] in preferred, self._spoke.get(seats[p], -1)), default=None)
