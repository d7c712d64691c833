"""Where rooms go, and that they stay there."""

from __future__ import annotations

import pytest

from meet.media.front.placement import PROMISE_S, SILENT_S, Load, Placement
from tests.unit.media.fakes import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def placement(clock: Clock) -> Placement:
    return Placement(clock)


def test_rooms_spread(placement: Placement) -> None:
    for name in "abcdef":
        placement.started(name, placement.place(name, (0, 1, 2)))
    assert sorted(len(placement.rooms_of(worker)) for worker in range(3)) == [2, 2, 2]


def test_two_racing_first_joins_land_in_one_worker(placement: Placement) -> None:
    first = placement.place("room", (0, 1))
    placement.report(first, Load(participants=50, busy=0.9))
    assert placement.place("room", (0, 1)) == first


def test_a_promise_ends_when_nobody_came(placement: Placement, clock: Clock) -> None:
    first = placement.place("room", (0, 1))
    placement.report(first, Load(participants=50))
    clock.now += PROMISE_S + 1
    assert placement.where("room") is None
    assert placement.place("room", (0, 1)) != first


def test_processor_and_event_loop_count_before_heads(placement: Placement) -> None:
    placement.report(0, Load(participants=2, busy=0.7))
    placement.report(1, Load(participants=9, busy=0.2))
    placement.report(2, Load(participants=3, busy=0.1, lag_ms=150))
    assert placement.place("room", (0, 1, 2)) == 1


def test_a_little_more_processor_does_not_outweigh_people(placement: Placement) -> None:
    placement.report(0, Load(participants=8, busy=0.22))
    placement.report(1, Load(participants=2, busy=0.38))
    assert placement.place("room", (0, 1)) == 1


def test_a_room_stays_where_it_ended_for_who_is_on_the_way(placement: Placement) -> None:
    placement.started("room", 1)
    assert placement.finished("room", 1)
    assert placement.place("room", (0,)) == 1


def test_the_end_in_one_worker_says_nothing_about_the_room_in_another(placement: Placement) -> None:
    placement.started("room", 1)
    assert not placement.finished("room", 0)
    assert placement.where("room") == 1


def test_what_a_worker_has_replaces_what_it_had(placement: Placement) -> None:
    for name in ("kept", "lost"):
        placement.started(name, 0)
    placement.started("other", 1)
    placement.claim(0, ["kept", "new"], yields=False)
    assert placement.rooms_of(0) == ["kept", "new"]
    assert (placement.where("lost"), placement.where("other")) == (None, 1)


@pytest.mark.parametrize("first", [0, 1])
def test_a_draining_worker_gives_way_whoever_speaks_first(placement: Placement, first: int) -> None:
    """The front died while a room moved from 0 to 1, so that both tell the next one of it."""
    for worker in (first, 1 - first):
        placement.claim(worker, ["room"], yields=worker == 0)
    assert placement.where("room") == 1


def test_nobody_to_take_it(placement: Placement) -> None:
    with pytest.raises(ValueError):
        placement.place("room", ())


def test_who_hangs_gets_nothing_new_as_long_as_another_one_speaks(placement: Placement, clock: Clock) -> None:
    placement.started("room", 0)
    for worker in (0, 1):
        placement.heard(worker)
    for _ in range(3):
        clock.now += 1
        placement.heard(1)
        assert placement.speaking((0, 1)) == [0, 1]
    clock.now += 1
    placement.heard(1)
    assert placement.speaking((0, 1)) == [1]
    assert placement.place("room", placement.speaking((0, 1))) == 0, "a room stays where it is"
    placement.heard(0)
    assert placement.speaking((0, 1)) == [0, 1]


def test_where_all_are_late_nobody_hangs(placement: Placement, clock: Clock) -> None:
    for worker in (0, 1):
        placement.heard(worker)
    for worker in (0, 1, 0, 1):
        clock.now += SILENT_S - 0.5
        assert placement.speaking((0, 1)) == [0, 1]
        placement.heard(worker)
        assert placement.speaking((0, 1)) == [0, 1]
    assert list(placement.speaking(())) == []


def test_when_nobody_speaks_everybody_may_be_the_one(placement: Placement, clock: Clock) -> None:
    placement.heard(0)
    clock.now += 10
    placement.heard(1)
    clock.now += 2 * SILENT_S
    assert placement.speaking((0, 1)) == (0, 1)
    assert placement.speaking((0,)) == (0,), "nor has anybody else what it takes"
