"""Rectangles."""

from __future__ import annotations

from itertools import combinations

import pytest

from meet.recorder.composer.layout import WIDE, Rect, fit, grid, rectangles, speaker, tile_aspect

CANVASES = [(1280, 720), (1920, 1080), (720, 1280), (1080, 1920), (640, 480)]
ODD = [(4096, 256), (256, 4096), (16, 16)]


@pytest.mark.parametrize("size", CANVASES + ODD)
@pytest.mark.parametrize("layout", ["grid", "speaker", "single-speaker"])
@pytest.mark.parametrize("count", [0, 1, 2, 3, 5, 9, 16, 25, 40])
def test_tiles_lie_inside_are_even_and_do_not_overlap(size: tuple[int, int], layout: str, count: int) -> None:
    rects = rectangles(layout, *size, count)
    assert (
        len(rects)
        == {
            "grid": min(count, 25),
            "speaker": min(count, 6 if size[0] >= size[1] else 4),
            "single-speaker": min(count, 1),
        }[layout]
    )
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


def test_the_speaker_is_largest() -> None:
    stage, *strip = speaker(1280, 720, 4)
    assert stage.width * stage.height > 10 * strip[0].width * strip[0].height
    assert speaker(1280, 720, 1) == [Rect(0, 0, 1280, 720)]


def test_pictures_keep_their_aspect() -> None:
    assert fit(640, 480, Rect(0, 0, 640, 360)) == Rect(80, 0, 480, 360)
    assert fit(360, 640, Rect(100, 100, 640, 360)) == Rect(318, 100, 202, 360)
    assert fit(1280, 720, Rect(0, 0, 640, 360)) == Rect(0, 0, 640, 360)


def test_tiles_take_the_shape_that_shows_most_of_the_pictures() -> None:
    camera, phone = (640, 360), (360, 640)
    assert tile_aspect(1280, 720, [camera] * 4, 4) == WIDE
    assert tile_aspect(1280, 720, [], 4) == WIDE
    assert tile_aspect(1280, 720, [phone] * 3, 3) < 1
    assert tile_aspect(720, 1280, [phone], 1) == 9 / 16
    assert tile_aspect(1280, 720, [camera] * 3 + [phone], 4) == WIDE


def test_an_unknown_layout_is_an_error() -> None:
    with pytest.raises(ValueError, match="mosaic"):
        rectangles("mosaic", 1280, 720, 1)
