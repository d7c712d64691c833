"""Names of which not every font has every sign: something is to be seen all the same, in order, and never a box."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import numpy as np
import pytest

from meet.recorder.composer import overlay, text
from meet.recorder.composer.scene import Scene
from meet.recorder.journal.records import Person, Track

ROCKET, DICE = "\U0001f680", "\U0001f3b2"


@pytest.fixture(autouse=True)
def _nothing_but_roboto(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(text, "_system_fonts", lambda: ())
    caches = (text.runs, text.readable, overlay.label, overlay.badge)
    for cached in caches:
        cached.cache_clear()
    yield
    for cached in caches:
        cached.cache_clear()


def names(*said: str) -> list[str]:
    """What stands on the tile of somebody who says one name after the other."""
    scene = Scene()
    for name in said:
        scene.person(Person(0, "guest-7", name))
    return [tile.name for tile in scene.people()]


def test_the_identity_stands_where_nothing_of_the_name_can_be_drawn() -> None:
    assert names(ROCKET + DICE) == ["guest-7"]
    assert names("Ada", ROCKET) == ["Ada"], "the last one that could"
    assert names(f"Ada {ROCKET}") == [f"Ada {ROCKET}"]
    scene = Scene()
    scene.open(Track(0, 1, "TR_1", "video", "vp8", 90_000, "guest-7", ROCKET, "camera", False))
    assert [tile.name for tile in scene.people()] == ["guest-7"]


def test_initials_are_signs_that_can_be_drawn() -> None:
    assert overlay.initials(f"{ROCKET}&{DICE}") == "&"
    assert overlay.initials(f"{ROCKET} Ada") == "A"
    assert overlay.initials(ROCKET) == ""
    assert overlay.label(ROCKET, 640, 360) is None, "no empty pill"


def test_no_gap_is_left_where_a_sign_is_left_out() -> None:
    assert text.shown(f"{ROCKET}\u200d{DICE} Ada  {ROCKET} Byron\n{DICE}\ufe0f") == "Ada Byron"
    assert text.shown(ROCKET) == "" and text.shown("می\u200cخواهم") == "می\u200cخواهم"
    bare, left_out = overlay.label("Ada", 640, 360), overlay.label(f"{ROCKET} Ada", 640, 360)
    assert bare is not None and left_out is not None and (bare.add[0] == left_out.add[0]).all()
    assert overlay.label("\x07 " + "wide " * 20_000, 640, 360) is not None


def test_enclosing_marks_are_drawn_by_fonts_that_have_them() -> None:
    assert text.runs("1\ufe0f\u20e3") == (("1\ufe0f", text.BUNDLED),)
    assert text.runs("e\u0308") == (("e\u0308", text.BUNDLED),)


@pytest.mark.parametrize("name", ["אב (גד)", "אב Smith", "אב_1", "Smith אב", "אב, Zoë & 7"])
def test_pieces_of_several_fonts_lie_as_those_of_one_would(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Roboto draws boxes for Hebrew, but in its order."""

    def cut(line: str) -> tuple[tuple[str, Path], ...]:
        groups = groupby(line, key=lambda c: unicodedata.bidirectional(c) in ("R", "AL"))
        return tuple(("".join(run), text.BUNDLED) for _, run in groups)

    monkeypatch.setattr(text, "runs", lambda line: ((line, text.BUNDLED),))
    whole, width = text.draw(300, 40, name, 24, 5, 28), text.width(name, 24)
    monkeypatch.setattr(text, "runs", cut)
    assert len(cut(name)) > 1 and text.width(name, 24) == pytest.approx(width, abs=1)
    pieces = text.draw(300, 40, name, 24, 5, 28)
    assert np.abs(whole.astype(int) - pieces).mean() < 1 < np.abs(whole.astype(int)[:, ::-1] - pieces).mean()
