"""Copying and blending planes: the reference, the compiled one, and that both are the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import av
import numpy as np
import pytest

from meet.media.fastpath.native import load
from meet.recorder.composer import rows

SEED = 5


def native() -> Any:
    """The compiled module; skips the test where it was not built."""
    module, reason = load()
    if module is None:
        pytest.skip(f"no compiled fast path: {reason}")
    return module


@pytest.fixture(params=["python", "native"])
def kind(request: pytest.FixtureRequest) -> Iterator[str]:
    if request.param == "native":
        native()
    assert rows.choose("auto" if request.param == "native" else "off") == (request.param == "native")
    yield request.param
    rows.choose("auto")


def noise(*shape: int) -> rows.Plane:
    return np.random.default_rng(SEED).integers(0, 256, shape, np.uint8)


def filled(width: int, height: int) -> av.VideoFrame:
    """A picture of noise whose rows have padding behind them."""
    return av.VideoFrame.from_ndarray(noise(height * 3 // 2, width), format="yuv420p")


@pytest.mark.parametrize(("rect", "size"), [((16, 6, 36, 20), (36, 20)), ((0, 0, 30, 19), (36, 20))])
def test_a_plane_is_copied_to_its_place_and_nowhere_else(
    kind: str, rect: tuple[int, int, int, int], size: tuple[int, int]
) -> None:
    x, y, width, height = rect
    plane = filled(*size).planes[0]
    assert plane.line_size > size[0]
    canvas = np.full((40, 64), 7, np.uint8)
    rows.copy(canvas[y : y + height, x : x + width], plane, plane.line_size)
    wanted = np.full((40, 64), 7, np.uint8)
    wanted[y : y + height, x : x + width] = noise(size[1] * 3 // 2, size[0])[:height, :width]
    assert np.array_equal(canvas, wanted)


@pytest.mark.parametrize("shape", [(20, 65), (21, 32)])
def test_a_plane_that_is_too_small_is_refused(kind: str, shape: tuple[int, int]) -> None:
    plane = filled(32, 20).planes[0]
    assert plane.line_size <= 64
    canvas = np.zeros(shape, np.uint8)
    with pytest.raises(ValueError, match="smaller"):
        rows.copy(canvas, plane, plane.line_size)


@pytest.mark.parametrize("width", [1, 15, 116])
def test_what_is_blended_is_what_the_formula_says(kind: str, width: int) -> None:
    draw = np.random.default_rng(SEED)
    canvas, part = noise(30, 200), draw.random((28, width + 3))
    keep = np.rint((1 - part) * 256).astype(np.uint16)
    add = np.rint(part * draw.integers(0, 256, part.shape) * 256).astype(np.uint16)
    wanted = canvas.copy()
    view = wanted[1:29, 7 : 7 + width]
    view[:] = (view.astype(np.uint32) * keep[:, :width] + add[:, :width]) // 256
    rows.blend(canvas[1:29, 7 : 7 + width], keep[:, :width], add[:, :width])
    assert np.array_equal(canvas, wanted)


def test_layers_of_another_size_are_refused(kind: str) -> None:
    layer = np.zeros((4, 6), np.uint16)
    for view in (np.zeros((4, 8), np.uint8), np.zeros((5, 6), np.uint8)):
        with pytest.raises(ValueError, match="different sizes"):
            rows.blend(view, layer, layer)


def test_the_compiled_ones_refuse_nonsense() -> None:
    module = native()
    plane, layer = np.zeros((4, 6), np.uint8), np.zeros((4, 6), np.uint16)
    wrong: list[tuple[type[Exception], Callable[[], object]]] = [
        (TypeError, lambda: module.copy(plane, plane)),
        (TypeError, lambda: module.copy(plane, plane, "6")),
        (TypeError, lambda: module.copy("plane", plane, 6)),
        (TypeError, lambda: module.copy(plane, None, 6)),
        (ValueError, lambda: module.copy(plane, plane, 0)),
        (ValueError, lambda: module.copy(plane, plane, -6)),
        (ValueError, lambda: module.copy(plane, plane, 1 << 62)),
        (ValueError, lambda: module.copy(plane.T, plane, 6)),
        (ValueError, lambda: module.copy(layer, plane, 6)),
        (ValueError, lambda: module.copy(plane[0], plane, 6)),
        (TypeError, lambda: module.blend(plane, layer)),
        (ValueError, lambda: module.blend(plane, layer, plane)),
        (ValueError, lambda: module.blend(plane, layer.T, layer)),
        (TypeError, lambda: module.blend(plane, layer, None)),
    ]
    for error, call in wrong:
        with pytest.raises(error):
            call()


def test_the_compiled_ones_agree_with_python() -> None:
    """Also where there is nothing, or rows lie the other way round."""
    module, draw, plane = native(), np.random.default_rng(SEED), filled(50, 40).planes[0]
    for height, width, step in ((40, 50, 1), (39, 17, -1), (1, 1, 1), (0, 9, 1), (9, 0, 1)):
        one, other = np.zeros((2, height, width), np.uint8)
        keep, add = draw.integers(0, 129, (2, height, width)).astype(np.uint16) * np.uint16(255)
        module.copy(one[::step], plane, plane.line_size)
        rows.copy_plane(other[::step], plane, plane.line_size)
        assert np.array_equal(one, other)
        module.blend(one[::step], keep, add)
        rows.blend_plane(other[::step], keep, add)
        assert np.array_equal(one, other)
