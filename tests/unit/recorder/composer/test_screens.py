"""Shared screens: when they take the stage, and where the others go."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from meet.recorder.composer.picture import Picture
from meet.recorder.composer.scene import SCREEN
from meet.recorder.composer.seats import Seats
from meet.recorder.composer.video import VideoTrack
from tests.unit.recorder.composer.scenes import CAMERA, LANDSCAPE, PORTRAIT, Cast
from tests.unit.recorder.composer.test_picture import luma, settle

Sizes = dict[str, tuple[int, int]]


def without_picture(cast: Cast, track: int) -> VideoTrack:
    """As a track is until its first key frame has been decoded."""
    media = cast.scene.members[track].media
    assert isinstance(media, VideoTrack)
    media.picture = None
    return media


@pytest.mark.parametrize("layout", ["grid", "speaker", "single-speaker"])
def test_a_screen_takes_the_stage_when_it_has_a_picture(layout: str) -> None:
    cast, told = Cast(), list[Sizes]()
    for number in range(3):
        cast.person(number)
    picture = Picture(*LANDSCAPE, layout, cast.scene, told.append)
    before = settle(picture)
    coming = without_picture(cast, cast.track("person-0", SCREEN, CAMERA, 3))
    assert (settle(picture, 1_000_000) == before).all(), "nothing is to be seen of it"
    assert told[-1]["TR_4"] == LANDSCAPE, "but it is asked for"
    assert coming._shown, "and decoded"
    cast.show(4, CAMERA, 3)
    assert picture.draw(2_000_000)
    assert (luma(picture) != before).any(), "at once"
    assert told[-1]["TR_4"] == (LANDSCAPE if layout == "single-speaker" else (1024, 576))


def test_the_next_screen_does_not_take_the_stage_from_the_first_before_it_has_a_picture() -> None:
    cast, told = Cast(), list[Sizes]()
    for number in range(2):
        cast.person(number)
    cast.track("person-0", SCREEN, CAMERA, 3)
    picture = Picture(*LANDSCAPE, "grid", cast.scene, told.append)
    before = settle(picture)
    without_picture(cast, cast.track("person-1", SCREEN, CAMERA, 5))
    without_picture(cast, cast.track("person-0", SCREEN, CAMERA, 6))
    assert (settle(picture, 1_000_000) == before).all()
    cast.show(4, CAMERA, 5)
    settle(picture, 2_000_000)
    assert told[-1]["TR_4"] == (1024, 576) and told[-1]["TR_3"] == (256, 144) and told[-1]["TR_5"] == LANDSCAPE
    cast.show(5, CAMERA, 6)
    settle(picture, 3_000_000)
    assert told[-1]["TR_5"] == (1024, 576) and told[-1]["TR_4"] == (256, 144) and told[-1]["TR_3"] == (0, 0)


@pytest.mark.parametrize(("size", "places"), [(LANDSCAPE, 5), (PORTRAIT, 18)])
def test_every_screen_is_seen_before_any_face(size: tuple[int, int], places: int) -> None:
    cast, told = Cast(), list[Sizes]()
    for number in range(8):
        cast.person(number, CAMERA if number % 2 else None)
    picture = Picture(*size, "grid", cast.scene, told.append)
    for shared in range(3):
        settle(picture, shared * 1_000_000)
        cast.track(f"person-{shared}", SCREEN, CAMERA, shared)
    settle(picture, 3_000_000)
    screens = [told[-1][f"TR_{number}"] for number in (5, 6, 7)]
    assert screens[0][0] == screens[1][0] < screens[2][0]
    faces = [told[-1][f"TR_{number}"] != (0, 0) for number in range(1, 5)]
    assert sum(faces) == min(places - 2, 4)


def test_who_speaks_or_has_a_picture_keeps_the_seat_when_there_are_fewer() -> None:
    seats: Seats[str] = Seats()
    people = ["a", "b", "c", "d", "e"]
    assert seats.pick(people, 5, ["a"], 0, {"b", "e"}) == people
    assert seats.pick(people, 3, ["d"], 1, {"b", "e"}) == ["b", "d", "e"]
    assert seats.pick(people, 0, ["d"], 2, {"b", "e"}) == []
    assert seats.pick(people, 2, [], 3, {"b", "e"}) == ["b", "e"]


def test_a_screen_that_cannot_be_decoded_has_the_initials_of_its_owner() -> None:
    cast = Cast()
    cast.person(0)
    cast.track("person-0", SCREEN, CAMERA, 3)
    assert [(tile.name, tile.owner) for tile in cast.scene.screens()[0]] == [("Ada Lovelace (screen)", "Ada Lovelace")]
    assert [tile.owner for tile in cast.scene.people()] == ["Ada Lovelace"]


def test_the_name_of_a_screen_does_not_cover_it_for_good() -> None:
    cast = Cast()
    cast.person(0)
    cast.track("person-0", SCREEN, CAMERA, 3)
    picture = Picture(*LANDSCAPE, "single-speaker", cast.scene, None)
    named = settle(picture)
    settle(picture, 4_900_000)
    assert (luma(picture) == named).all()
    bare = settle(picture, 5_200_000)
    changed = np.argwhere(bare != named)
    assert changed[:, 0].min() > 640 and changed[:, 1].max() < 500, "nothing but the name has gone"
    cast.scene.members[2].info = replace(cast.scene.members[2].info, sid="TR_another")
    cast.scene.changed = True
    assert (settle(picture, 9_000_000) == named).all(), "another share is named again"


def test_the_stage_is_not_given_up_for_initials() -> None:
    """Who was hidden for long has no picture before the key frame that is asked for."""
    cast, told = Cast(), list[Sizes]()
    for number in range(2):
        cast.person(number)
    picture = Picture(*LANDSCAPE, "single-speaker", cast.scene, told.append)
    cast.scene.speakers = ["person-0"]
    before = settle(picture)
    without_picture(cast, 2)
    cast.scene.speakers = ["person-1"]
    for now in (2_000_000, 2_800_000):
        assert (settle(picture, now) == before).all()
    assert told[-1] == {"TR_1": LANDSCAPE, "TR_2": LANDSCAPE}, "asked for"
    cast.show(2, CAMERA, 1)
    assert picture.draw(3_500_000) and (luma(picture) != before).any(), "at once"
    cast.scene.speakers = ["person-0"]
    without_picture(cast, 1)
    shown = settle(picture, 5_500_000)
    assert (settle(picture, 6_300_000) == shown).all()
    assert (settle(picture, 7_400_000) != shown).mean() > 0.5, "not for longer than a second"
