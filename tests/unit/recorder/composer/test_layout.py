"""Rectangles."""

from __future__ import annotations

from itertools import combinations, product

import pytest

from meet.recorder.composer.layout import rectangles, speaker, strip_places
from meet.recorder.composer.tiles import WIDE, Rect, Size, fit, grid, tile_aspect

CAMERA, PHONE, OLD, WINDOW = (640, 360), (360, 640), (640, 480), (2560, 600)
CANVASES = [(1280, 720), (1920, 1080), (720, 1280), (1080, 1920), (640, 480), (720, 720)]
ODD = [(4096, 256), (256, 4096), (16, 16), (66, 98)]


@pytest.mark.parametrize("size", CANVASES + ODD)
@pytest.mark.parametrize("layout", ["grid", "speaker", "single-speaker"])
def test_tiles_lie_inside_are_even_and_do_not_overlap(size: tuple[int, int], layout: str) -> None:
    most = {"grid": 25, "speaker": 1 + strip_places(*size), "single-speaker": 1}[layout]
    for first, count in product((None, CAMERA, PHONE, WINDOW), (0, 1, 2, 3, 5, 9, 16, 25, 40)):
        pictures: list[Size | None] = [first, *[CAMERA, PHONE, None, OLD] * 10]
        rects = rectangles(layout, *size, pictures[:count], shared=first == WINDOW)
        assert len(rects) == min(count, most)
        for rect in rects:
            assert rect.width > 0 and rect.height > 0
            assert rect.x >= 0 and rect.y >= 0
            assert rect.x + rect.width <= size[0] and rect.y + rect.height <= size[1]
            assert not any(value & 1 for value in rect)
        for a, b in combinations(rects, 2):
            assert a.x + a.width <= b.x or b.x + b.width <= a.x or a.y + a.height <= b.y or b.y + b.height <= a.y, (
                f"{a} overlaps {b}"
            )


def test_up_to_four_tiles_are_simulcast_layers_and_need_no_scaling() -> None:
    assert grid(1280, 720, 1) == [Rect(0, 0, 1280, 720)]
    assert grid(1280, 720, 2) == [Rect(0, 180, 640, 360), Rect(640, 180, 640, 360)]
    assert grid(1280, 720, 3)[2] == Rect(320, 360, 640, 360), "the last row is centred"
    assert {r[2:] for r in grid(1280, 720, 4)} == {(640, 360)}
    assert {r[2:] for r in grid(1920, 1080, 9)} == {(640, 360)}
    assert grid(720, 1280, 2)[0].x == grid(720, 1280, 2)[1].x, "portrait: one above the other"


def test_every_tile_of_a_grid_keeps_16_to_9() -> None:
    for size in CANVASES:
        for count in range(1, 26):
            for rect in grid(*size, count):
                assert abs(rect.width / rect.height - 16 / 9) < 0.05


def area(rect: Rect) -> int:
    return rect.width * rect.height


def test_the_speaker_is_largest() -> None:
    stage, *strip = speaker(1280, 720, [CAMERA] * 4)
    assert area(stage) > 10 * area(strip[0])
    assert speaker(1280, 720, [CAMERA]) == [Rect(0, 0, 1280, 720)]
    for canvas in ((720, 1280), (720, 720), (640, 480)):
        for camera in (CAMERA, PHONE, OLD):
            for count in range(2, 26):
                stage, *strip = speaker(*canvas, [camera] * count)
                assert 2 * area(fit(*camera, strip[0])) < area(fit(*camera, stage))
        for cameras, phones in product(range(1, 10), repeat=2):
            on_stage, *others = people = [PHONE] * phones + [CAMERA] * cameras
            stage, *strip = speaker(*canvas, people)
            below = [area(fit(*camera, rect)) for camera, rect in zip(others, strip, strict=False)]
            assert 1.2 * max(below) < area(fit(*on_stage, stage))


def test_a_wide_picture_has_its_five_below_the_stage() -> None:
    for camera in (CAMERA, PHONE):
        stage, *strip = speaker(1280, 720, [camera] * 9)
        assert stage == Rect(128, 0, 1024, 576)
        assert strip == [Rect(k * 256, 576, 256, 144) for k in range(5)]


def test_an_upright_picture_is_filled() -> None:
    """The stage is as high as what is on it needs; the others take what is left, as many as can be told apart."""
    assert [strip_places(*size) for size in ((720, 1280), (1080, 1920), (720, 720), (640, 480))] == [18, 18, 12, 5]
    for count, camera, filled in ((4, CAMERA, 0.7), (9, CAMERA, 0.9), (19, CAMERA, 0.9), (5, PHONE, 0.75)):
        rects = speaker(720, 1280, [camera] * count)
        assert sum(area(fit(*camera, rect)) for rect in rects) > filled * 720 * 1280
    for screen, high in (((1920, 1080), 404), ((1366, 768), 404), ((1024, 768), 540), ((3440, 1440), 308)):
        rects = speaker(720, 1280, [screen] + [CAMERA] * 4, shared=True)
        assert rects[0][2:] == (720, high), screen
    assert speaker(720, 1280, [(600, 2560), CAMERA], shared=True)[0][2:] == (720, 960)
    block = [rect for count in (2, 5, 19) for rect in speaker(720, 1280, [CAMERA] * count)]
    assert all(abs(a.y - (1280 - b.y - b.height)) <= 2 for a, b in ((block[0], block[1]), (block[2], block[6])))


def test_nothing_moves_when_somebody_with_another_camera_speaks() -> None:
    people = [CAMERA, PHONE, OLD, None, PHONE, CAMERA, CAMERA]
    for canvas in ((720, 1280), (720, 720), (640, 480)):
        of = {tuple(speaker(*canvas, people[k:] + people[:k])) for k in range(len(people))}
        assert len(of) == 1
    assert speaker(720, 1280, [PHONE, CAMERA])[0] == speaker(720, 1280, [CAMERA, PHONE])[0]
    screen = [(1920, 1080), *people]
    assert speaker(720, 1280, screen, shared=True)[0].height == 404


def test_pictures_keep_their_aspect() -> None:
    assert fit(640, 480, Rect(0, 0, 640, 360)) == Rect(80, 0, 480, 360)
    assert fit(360, 640, Rect(100, 100, 640, 360)) == Rect(318, 100, 202, 360)
    assert fit(1280, 720, Rect(0, 0, 640, 360)) == Rect(0, 0, 640, 360)


def test_tiles_take_the_shape_that_shows_most_of_the_pictures() -> None:
    def shape(width: int, height: int, pictures: list[Size], count: int) -> float:
        return tile_aspect(pictures, lambda aspect: grid(width, height, count, aspect)[0])

    assert shape(1280, 720, [CAMERA] * 4, 4) == WIDE
    assert shape(1280, 720, [], 4) == WIDE
    assert shape(1280, 720, [PHONE] * 3, 3) < 1
    assert shape(720, 1280, [PHONE], 1) == 9 / 16
    assert shape(1280, 720, [CAMERA] * 3 + [PHONE], 4) == WIDE


def test_an_unknown_layout_is_an_error() -> None:
    with pytest.raises(ValueError, match="mosaic"):
        rectangles("mosaic", 1280, 720, [None])
