"""What the recorder draws, against pictures that were looked at, and how it gets from one to the next."""

from __future__ import annotations

import av
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, features

from meet.recorder.composer import overlay, text
from meet.recorder.composer.canvas import Scaler
from meet.recorder.composer.overlay import Planes
from meet.recorder.composer.picture import Picture
from meet.recorder.composer.scene import SCREEN
from meet.recorder.composer.video import VideoTrack
from meet.recorder.journal.records import Person
from tests.unit.recorder.composer.scenes import CAMERA, GOLDEN, LANDSCAPE, OLD, PHONE, SCENES, Cast, draw

Rgb = npt.NDArray[np.float64]


def rgb(frame: av.VideoFrame) -> Rgb:
    picture = frame.to_ndarray(format="rgb24")
    return np.array(picture, np.float64)


def similarity(ours: Rgb, theirs: Rgb, window: int) -> npt.NDArray[np.float64]:
    """Structural similarity (Wang et al. 2004) of each window x window block, 1 for equal ones."""
    rows, columns = ours.shape[0] // window, ours.shape[1] // window

    def blocks(picture: Rgb) -> Rgb:
        grey = picture.mean(axis=2)[: rows * window, : columns * window]
        cut: Rgb = grey.reshape(rows, window, columns, window).swapaxes(1, 2).reshape(rows, columns, -1)
        return cut

    a, b = blocks(ours), blocks(theirs)
    mean_a, mean_b = a.mean(axis=2), b.mean(axis=2)
    both = (a * b).mean(axis=2) - mean_a * mean_b
    one, two = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    result: npt.NDArray[np.float64] = ((2 * mean_a * mean_b + one) * (2 * both + two)) / (
        (mean_a**2 + mean_b**2 + one) * (a.var(axis=2) + b.var(axis=2) + two)
    )
    return result


@pytest.mark.parametrize("name", SCENES)
def test_golden(name: str) -> None:
    """Another FreeType may set letters a little differently; a name, tile or colour must not go missing."""
    ours = rgb(SCENES[name].draw())
    theirs = np.asarray(Image.open(GOLDEN / f"{name}.png").convert("RGB"), np.float64)
    assert ours.shape == theirs.shape
    alike = similarity(ours, theirs, 40)
    assert alike.mean() > 0.99 and alike.min() > 0.8, np.argwhere(alike < 0.8)
    error = np.square(ours - theirs).mean()
    assert error < 10, "peak signal to noise ratio below 38 dB"


@pytest.mark.parametrize("size", [(16, 16), (32, 16), (4096, 16), (16, 4096), (18, 34)])
@pytest.mark.parametrize("layout", ["grid", "speaker", "single-speaker"])
@pytest.mark.parametrize("count", [1, 2, 7, 25])
def test_everybody_is_drawn_as_far_as_there_is_room(size: tuple[int, int], layout: str, count: int) -> None:
    """The contract allows any size: names and discs may be larger than a tile."""
    cast = Cast()
    for number in range(count):
        cast.person(number, CAMERA if number % 2 else None)
    assert draw(cast, layout, size).width == size[0]


def test_the_comparison_notices_a_missing_name() -> None:
    cast = Cast()
    cast.person(0)
    named = rgb(draw(cast, "grid"))
    cast.scene.person(Person(0, "person-0", "Ada Byron"))
    assert similarity(named, rgb(draw(cast, "grid")), 40).min() < 0.8


def luma(picture: Picture) -> npt.NDArray[np.int16]:
    plane = picture.frame.planes[0]
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
    return rows[:, : plane.width].astype(np.int16)


def settle(picture: Picture, now: int = 0) -> npt.NDArray[np.int16]:
    for tick in range(4):
        picture.draw(now + tick * 33_333)
    return luma(picture)


def test_a_name_stays_the_same_however_often_the_picture_below_it_changes() -> None:
    cast = Cast()
    cast.person(0, PHONE)
    cast.person(1)
    picture = Picture(*LANDSCAPE, "grid", cast.scene, None)
    first = settle(picture)
    for _ in range(2 * picture.ahead):
        cast.show(1, PHONE, 0)
        assert picture.draw(1_000_000)
        assert (luma(picture) == first).all(), "not blended twice, neither on the picture nor beside it"


def test_a_turned_phone_leaves_nothing_behind() -> None:
    cast = Cast()
    cast.person(0)
    cast.person(1)
    picture = Picture(*LANDSCAPE, "grid", cast.scene, None)
    before = settle(picture)
    cast.show(1, PHONE, 0)
    turned = settle(picture, 1_000_000)
    assert (turned != before).mean() > 0.1
    cast.show(1, CAMERA, 0)
    assert (settle(picture, 2_000_000) == before).all()


def test_joining_leaving_and_a_new_name() -> None:
    cast = Cast()
    cast.person(0)
    picture = Picture(*LANDSCAPE, "grid", cast.scene, None)
    alone = settle(picture)
    identity = cast.person(1, None)
    assert (settle(picture) != alone).mean() > 0.5
    cast.scene.person(Person(0, identity, "", present=False))
    assert (settle(picture) == alone).all(), "without tracks, who has left is gone"
    cast.scene.person(Person(0, "person-0", "Countess of Lovelace"))
    renamed = settle(picture)
    cast.scene.person(Person(0, "person-0", " \u200b"))
    assert (settle(picture) == renamed).all(), "nothing is no name"
    changed = np.argwhere(renamed != alone)
    assert len(changed) and changed[:, 0].min() > 650 and changed[:, 1].max() < 400, "only the name was drawn again"


def test_a_shared_screen_takes_the_stage_and_gives_it_back() -> None:
    cast = Cast()
    for number in range(3):
        cast.person(number)
    told: list[dict[str, tuple[int, int]]] = []
    picture = Picture(*LANDSCAPE, "grid", cast.scene, told.append)
    grid = settle(picture)
    screen = cast.track("person-0", SCREEN, (1920, 1080), 3)
    settle(picture)
    assert told[-1]["TR_4"] == (1024, 576) and told[-1]["TR_1"] == (256, 144)
    cast.scene.ends(screen, 0)
    assert (settle(picture, 1_000_000) == grid).all()


def test_a_screen_alone_fills_the_picture() -> None:
    """As when only somebody's screen is recorded: its owner is no face beside it."""
    cast = Cast()
    cast.track("person-0", SCREEN, (1920, 1080), 3)
    told: list[dict[str, tuple[int, int]]] = []
    picture = Picture(*LANDSCAPE, "grid", cast.scene, told.append)
    settle(picture)
    assert told[-1] == {"TR_1": (1280, 720)}


def test_the_layout_changes_from_one_picture_to_the_next() -> None:
    cast = Cast()
    for number in range(3):
        cast.person(number)
    told: list[dict[str, tuple[int, int]]] = []
    picture = Picture(*LANDSCAPE, "grid", cast.scene, told.append)
    grid = settle(picture)
    for layout, stage in (("speaker", (1024, 576)), ("single-speaker", (1280, 720)), ("mosaic", (1280, 720))):
        picture.arrange_as(layout)
        settle(picture)
        assert told[-1]["TR_1"] == stage
    picture.arrange_as("grid")
    assert (settle(picture) == grid).all()


def test_what_does_not_move_is_scaled_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several sheets take turns; a still tile is copied from one to the next."""
    cast = Cast()
    cast.person(0, OLD)
    cast.person(1)
    picture = Picture(*LANDSCAPE, "grid", cast.scene, None)
    assert picture.ahead > 2
    drawn: list[int] = []
    for number, member in cast.scene.members.items():
        assert isinstance(member.media, VideoTrack)
        scaler = member.media.scaler

        def draw(of: av.VideoFrame, into: Planes, number: int = number, real: Scaler = scaler) -> None:
            drawn.append(number)
            Scaler.draw(real, of, into)

        monkeypatch.setattr(scaler, "draw", draw)
    settle(picture)
    seen = []
    for turn in range(2 * picture.ahead):
        cast.show(2, CAMERA, turn)
        assert picture.draw(turn)
        seen.append(rgb(picture.frame))
    assert drawn.count(1) == 1 and drawn.count(2) == 1 + 2 * picture.ahead
    assert not picture.draw(100), "nothing is new"
    anew = Picture(*LANDSCAPE, "grid", cast.scene, None)
    cast.scene.changed = True
    settle(anew)
    assert (rgb(anew.frame) == seen[-1]).all() and not (seen[-2] == seen[-1]).all()


def test_of_forty_the_one_who_speaks_is_seen() -> None:
    cast = Cast()
    for number in range(40):
        cast.person(number)
    told: list[dict[str, tuple[int, int]]] = []
    picture = Picture(*LANDSCAPE, "grid", cast.scene, told.append)
    settle(picture)
    assert sum(size != (0, 0) for size in told[-1].values()) == 25 and told[-1]["TR_38"] == (0, 0)
    cast.scene.speakers = ["person-37"]
    settle(picture, 4_000_000)
    assert told[-1]["TR_38"] != (0, 0)
    assert sum(size != (0, 0) for size in told[-1].values()) == 25


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("Ada Lovelace", "AL"),
        ("zoë", "Z"),
        ("Ítalo Ørsted Çelik", "ÍÇ"),
        ("  \t", ""),
        ("(guest) 7", "G7"),
        ("李小龍", "李"),
        ("🎉&", "&"),
        ("ß straße", "ßS"),
        ("เกียรติ ใจดี", "กจ"),
        ("ເພັດ", "ພ"),
        ("เ", "เ"),
        ("محمد ضيف", "م\u200cض"),
    ],
)
def test_initials(name: str, letters: str) -> None:
    assert overlay.initials(name) == letters


@pytest.mark.skipif(not (features.check("raqm") and text.covered("مض")), reason="no Arabic here")
def test_initials_are_not_joined_to_a_word() -> None:
    letters = sum(text.width(letter, 100) for letter in "مض")
    assert abs(text.width(text.side_by_side("م", "ض"), 100) - letters) <= 2 < letters - text.width("مض", 100)
    assert text.side_by_side("A", "B") == "AB"


def test_text_is_one_line_and_fits() -> None:
    assert text.clean(" Ada\n\x07Lovelace ") == "Ada Lovelace"
    assert text.clean("abc\u202ekcart \u2067x") == "abckcart x"
    assert text.clean("می\u200cخواهم") == "می\u200cخواهم"
    assert text.clean(" \u200b\u200d ") == ""
    short = text.shorten("Wolfeschlegelsteinhausen", 20, 120)
    assert short.endswith("…") and text.width(short, 20) <= 120
    assert text.shorten("Ada", 20, 120) == "Ada"


def test_signs_that_no_font_has_are_left_out() -> None:
    assert [run for run, _ in text.runs("Ada \U0010fffd")] == ["Ada "]
    assert text.runs("Ж") == (("Ж", text.BUNDLED),)


def test_tiny_tiles_have_no_names() -> None:
    assert overlay.label("Ada", 60, 34) is None
    assert overlay.label("", 640, 360) is None
