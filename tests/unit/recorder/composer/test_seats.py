"""Who is on stage and who is seen, second by second."""

from __future__ import annotations

from collections.abc import Callable
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


def on_stage(says: Callable[[int], list[str]], seconds: int) -> list[tuple[int, str | None]]:
    """(ms, who) at every change, when looked at ten times a second. says: who is loud, by ms."""
    stage: Stage[str] = Stage()
    changes: list[tuple[int, str | None]] = []
    for ms in range(0, seconds * 1000, 100):
        seen = stage.pick(["ada", "bob", "eve"], says(ms), ms * 1000)
        if not changes or changes[-1][1] != seen:
            changes.append((ms, seen))
    return changes


def test_short_phrases_are_added_up() -> None:
    """0.6 s of speech, 0.4 s of pause."""
    changes = on_stage(lambda ms: ["ada"] if ms < 3000 else ["bob"] if ms % 1000 < 600 else [], 20)
    assert [who for _, who in changes] == ["ada", "bob"] and changes[1][0] <= 4300


def test_coughs_and_interruptions_are_not() -> None:
    assert len(on_stage(lambda ms: ["ada"] if ms < 3000 else ["bob"] if ms % 2000 < 300 else [], 30)) == 1
    assert len(on_stage(lambda ms: ["bob"] if ms % 1000 >= 600 else ["ada"], 30)) == 1, "ada talks on between"
    taking_turns = on_stage(lambda ms: ["ada"] if ms < 3000 else [("bob", "eve")[ms // 400 % 2]], 30)
    assert len(taking_turns) == 1, "nobody of them for long enough"


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


def test_who_has_a_picture_takes_the_place_of_initials_that_are_silent() -> None:
    seats: Seats[str] = Seats()
    assert seats.pick(["a", "b", "c"], 2, ["a"], 0) == ["a", "b"]
    assert seats.pick(["a", "b", "c"], 2, [], 1 * S, {"c"}) == ["a", "b"], "not at once"
    assert seats.pick(["a", "b", "c"], 2, [], 2 * S, {"c"}) == ["a", "c"], "not that of who has just spoken"
    assert seats.pick(["a", "b", "c"], 2, [], 9 * S, {"b", "c"}) == ["a", "c"]
    assert seats.pick(["a", "b", "c"], 2, [], 10 * S, {"b", "c"}) == ["b", "c"]
    assert seats.pick(["a", "b", "c"], 2, ["a"], 12 * S, {"b", "c"}) == ["a", "c"], "voices go before faces"
    assert seats.pick(["a", "b", "c"], 2, [], 21 * S, {"b", "c"}) == ["a", "c"]
    assert seats.pick(["a", "b", "c", "d"], 2, [], 23 * S, {"b", "c", "d"}) == ["b", "c"], "one for one"
