"""What is seen of somebody between the end of a track and the word that its owner has left."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pytest

from meet.recorder.composer.picture import Picture
from meet.recorder.composer.scene import SCREEN
from meet.recorder.journal.records import Person
from tests.unit.recorder.composer.scenes import CAMERA, LANDSCAPE, PHONE, Cast
from tests.unit.recorder.composer.test_picture import luma, rgb, settle

END, LEFT = 1_000_000, 1_200_000
TICK = 33_333


def two(*, screen: bool = False) -> Cast:
    cast = Cast()
    cast.person(0)
    cast.person(1)
    if screen:
        cast.track("person-1", SCREEN, (1920, 1080), 3)
    return cast


def pictures(picture: Picture, begin: int, end: int) -> Iterator[tuple[int, npt.NDArray[np.int16]]]:
    for now in range(begin, end, TICK):
        picture.draw(now)
        yield now, luma(picture)


@pytest.mark.parametrize("screen", [False, True])
@pytest.mark.parametrize("taken_over_at", [0, END, END + 100_000, LEFT])
def test_who_leaves_is_gone_without_initials(screen: bool, taken_over_at: int) -> None:
    """Another process that takes over at any moment shows the same."""
    cast = two(screen=screen)
    picture, scene = Picture(*LANDSCAPE, "grid", cast.scene, None), cast.scene
    both = settle(picture)
    for track in (2, 3):
        scene.ends(track, END)
    scene.later(LEFT, lambda: scene.person(Person(LEFT, "person-1", "", present=False)))
    if taken_over_at:
        picture = Picture(*LANDSCAPE, "grid", scene, None)
        for now in range(0, taken_over_at, TICK):
            picture.pass_over(now)
        picture.catch_up(lambda: None)
    seen = dict(pictures(picture, taken_over_at, LEFT + 600_000))
    alone = seen[max(seen)]
    assert (alone != both).mean() > 0.2
    assert [now for now, each in seen.items() if not (each == (both if now < LEFT else alone)).all()] == []


def test_who_goes_without_a_camera_stays_with_initials() -> None:
    cast = two()
    picture = Picture(*LANDSCAPE, "grid", cast.scene, None)
    both = settle(picture)
    cast.scene.ends(2, END)
    changes = [now for now, each in pictures(picture, END, END + 1_000_000) if (each != both).any()]
    assert 400_000 < changes[0] - END < 600_000
    cast.scene.mute(1, True)
    picture.draw(3_000_000)
    assert (luma(picture) != both)[180:540, :640].mean() > 0.9, "who mutes, at once"


def test_who_has_left_is_not_kept_by_a_last_picture() -> None:
    """The tracks may end after the word that somebody left, and one after the other."""
    cast = two()
    picture = Picture(*LANDSCAPE, "grid", cast.scene, None)
    settle(picture)
    second = cast.track("person-1", "camera", PHONE, 5)
    cast.scene.person(Person(0, "person-1", "", present=False))
    cast.scene.ends(2, END)
    cast.scene.ends(second, LEFT)
    for now, people in ((END - TICK, 2), (END, 2), (LEFT - TICK, 2), (LEFT, 1)):
        picture.draw(now)
        assert len(cast.scene.people()) == people, now
    assert list(cast.scene.members) == [1]


def test_what_ends_together_goes_together() -> None:
    """Two screens of somebody without a camera, told twice to have ended, and shared again at once."""
    cast = Cast()
    for seed in (3, 5):
        cast.track("person-0", SCREEN, (1920, 1080), seed)
    picture = Picture(*LANDSCAPE, "grid", cast.scene, None)
    settle(picture)
    for track in (1, 2, 1):
        cast.scene.ends(track, END)
    again = cast.track("person-0", SCREEN, (1920, 1080), 7)
    assert list(cast.scene.members) == [again]
    assert picture.draw(LEFT)


def test_another_camera_takes_over_from_the_last_picture() -> None:
    """Unpublished and published anew, as when the device is changed."""
    cast = two()
    picture = Picture(*LANDSCAPE, "grid", cast.scene, None)
    settle(picture)
    both = rgb(picture.frame)
    cast.scene.ends(2, END)
    picture.draw(END + 100_000)
    track = cast.track("person-1", "camera", CAMERA, 5)
    assert sorted(cast.scene.members) == [1, track]
    picture.draw(END + 2_000_000)
    changed = (rgb(picture.frame) != both).any(axis=(0, 2))
    assert changed[640:].any() and not changed[:640].any()
