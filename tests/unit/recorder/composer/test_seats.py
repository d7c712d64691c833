"""Who is on stage and who is seen, second by second."""

from __future__ import annotations

from itertools import pairwise

from meet.recorder.composer.seats import HOLD_US, LEAD_US, Seats, Stage

S = 1_000_000


def test_a_cough_does_not_change_the_stage() -> None:
    stage: Stage[str] = Stage()
    assert stage.pick(["ada", "bob"], [], 0) == "ada"
    assert stage.pick(["ada", "bob"], ["bob"], 10 * S) == "ada"
    assert stage.pick(["ada", "bob"], ["ada"], 10 * S + LEAD_US // 2) == "ada"
    assert stage.pick(["ada", "bob"], ["bob"], 10 * S + LEAD_US) == "ada", "counted from when it went on"
    assert stage.pick(["ada", "bob"], ["bob", "ada"], 10 * S + 2 * LEAD_US) == "bob"


def test_changes_are_at_least_a_second_and_a_half_apart() -> None:
    stage: Stage[str] = Stage()
    changes, on = [], None
    for tick in range(300):
        now = tick * S // 30
        # Two people who interrupt each other every 0.8 s.
        talking = "ada" if tick // 24 % 2 else "bob"
        if (seen := stage.pick(["ada", "bob"], [talking], now)) != on:
            changes.append(now)
            on = seen
    assert len(changes) > 2
    assert all(b - a >= HOLD_US for a, b in pairwise(changes))


def test_who_leaves_the_stage_is_followed_at_once() -> None:
    stage: Stage[str] = Stage()
    stage.pick(["ada", "bob", "eve"], ["ada"], 0)
    assert stage.pick(["bob", "eve"], ["eve"], 1) == "eve"
    assert stage.pick(["bob"], [], 2) == "bob"
    assert stage.pick([], ["bob"], 3) is None


def test_seats_are_kept_and_filled_where_somebody_left() -> None:
    seats: Seats[str] = Seats()
    assert seats.pick(["a", "b", "c"], 3, [], 0) == ["a", "b", "c"]
    assert seats.pick(["a", "b", "c", "d"], 3, [], 1) == ["a", "b", "c"]
    assert seats.pick(["a", "c", "d"], 3, [], 2) == ["a", "d", "c"]
    assert seats.pick(["a", "d"], 3, [], 3) == ["a", "d"]


def test_a_speaker_takes_the_seat_of_the_one_silent_longest() -> None:
    seats: Seats[str] = Seats()
    people = ["a", "b", "c", "d", "e"]
    assert seats.pick(people, 3, ["a"], 0) == ["a", "b", "c"]
    assert seats.pick(people, 3, ["b"], 1 * S) == ["a", "b", "c"]
    assert seats.pick(people, 3, ["d"], 1 * S) == ["a", "b", "c"], "nobody has sat long enough to go"
    assert seats.pick(people, 3, ["d"], 2 * S) == ["a", "b", "d"]
    assert seats.pick(people, 3, ["e"], 2 * S + 1) == ["e", "b", "d"]
    assert seats.pick(people, 3, ["c"], 9 * S) == ["e", "c", "d"]


def test_those_with_a_picture_go_first_when_seats_are_few() -> None:
    seats: Seats[str] = Seats()
    assert seats.pick(["a", "b", "c"], 2, [], 0, {"b", "c"}) == ["b", "c"]
