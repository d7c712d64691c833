"""Scenes whose pictures lie in `golden/`; `python -m tests.unit.recorder.composer.scenes` draws those anew.

Look at every one before you commit it: the test only tells that nothing has changed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import av
import numpy as np
from PIL import Image

from meet.recorder.composer.picture import Picture
from meet.recorder.composer.scene import SCREEN, Scene
from meet.recorder.composer.video import VideoTrack
from meet.recorder.journal.records import Person, Track

GOLDEN: Final = Path(__file__).with_name("golden")
LANDSCAPE, PORTRAIT = (1280, 720), (720, 1280)
CAMERA, PHONE, OLD, DESK = (640, 360), (360, 640), (640, 480), (1920, 1080)
NAMES: Final = (
    "Ada Lovelace",
    "Grace Hopper",
    "Дмитрий Менделеев",
    "Ελένη Γλύκατζη",
    "José Núñez-Ibáñez",
    "Nguyễn Thị Bình",
    "Zoë",
    "Ítalo Ørsted Çelik",
    "Wolfeschlegelsteinhausenbergerdorff the Elder of Philadelphia",
)


def still(width: int, height: int, seed: int) -> av.VideoFrame:
    """A circle on a gradient in a colour of its own: stretching and cutting off can be seen."""
    rows, columns = np.mgrid[0:height, 0:width]
    luma = 60 + 60 * columns // width + 30 * rows // height
    radius = np.hypot(columns - width / 2, rows - height / 2)
    luma = np.where(radius < min(width, height) * 0.36, 190, luma).astype(np.uint8)
    u = np.full((height // 2, width // 2), 96 + seed * 37 % 64, np.uint8)
    v = np.full((height // 2, width // 2), 96 + seed * 53 % 64, np.uint8)
    frame = av.VideoFrame(width, height, "yuv420p")
    for plane, data in zip(frame.planes, (luma, u, v), strict=True):
        padded = np.zeros((plane.height, plane.line_size), np.uint8)
        padded[:, : plane.width] = data
        plane.update(padded.tobytes())
    return frame


class Cast:
    """Fills a scene without codecs: pictures are put where decoders would put them."""

    def __init__(self) -> None:
        self.scene = Scene()
        self._track = 0

    def person(self, number: int, camera: tuple[int, int] | None = CAMERA) -> str:
        """Somebody from NAMES with a camera of this size, or none; the identity."""
        identity = f"person-{number}"
        self.scene.person(Person(0, identity, NAMES[number % len(NAMES)]))
        if camera is not None:
            self.track(identity, "camera", camera, number)
        return identity

    def track(self, identity: str, source: str, size: tuple[int, int], seed: int) -> int:
        """A video track with a picture; its number."""
        self._track += 1
        sid = f"TR_{self._track}"
        self.scene.open(Track(0, self._track, sid, "video", "vp8", 90_000, identity, "", source, False))
        self.show(self._track, size, seed)
        return self._track

    def show(self, track: int, size: tuple[int, int], seed: int) -> None:
        """Another picture of a track."""
        media = self.scene.members[track].media
        assert isinstance(media, VideoTrack)
        media.picture = still(*size, seed)


def draw(cast: Cast, layout: str, size: tuple[int, int] = LANDSCAPE) -> av.VideoFrame:
    """What the recorder would encode."""
    picture = Picture(*size, layout, cast.scene, None)
    for tick in range(3):
        picture.draw(tick * 33_333)
    return picture.frame


@dataclass(frozen=True)
class Golden:
    """One picture to be kept. cameras: sizes, None for a person without a picture."""

    layout: str
    cameras: tuple[tuple[int, int] | None, ...]
    size: tuple[int, int] = LANDSCAPE
    screen: bool = False
    speaking: tuple[str, ...] = ()

    def draw(self) -> av.VideoFrame:
        cast = Cast()
        for number, camera in enumerate(self.cameras):
            cast.person(number, camera)
        if self.screen:
            cast.track("person-1", SCREEN, DESK, 7)
        cast.scene.speakers = list(self.speaking)
        return draw(cast, self.layout, self.size)


SCENES: Final[dict[str, Golden]] = {
    "grid-1": Golden("grid", (CAMERA,)),
    "grid-2-one-muted": Golden("grid", (CAMERA, None)),
    "grid-5-mixed": Golden("grid", (CAMERA, PHONE, OLD, None, CAMERA)),
    "grid-9": Golden("grid", (CAMERA,) * 9),
    "grid-25": Golden("grid", (CAMERA, None, OLD, CAMERA, PHONE) * 5),
    "grid-3-phones": Golden("grid", (PHONE,) * 3),
    "grid-screen": Golden("grid", (CAMERA, None, CAMERA), screen=True),
    "audio-only": Golden("grid", (None,) * 6),
    "portrait-1-phone": Golden("grid", (PHONE,), PORTRAIT),
    "portrait-6": Golden("grid", (CAMERA, CAMERA, None, CAMERA, OLD, CAMERA), PORTRAIT),
    "portrait-speaker": Golden("speaker", (PHONE, CAMERA, CAMERA), PORTRAIT),
    "portrait-speaker-8": Golden("speaker", (CAMERA, CAMERA, OLD, None) * 2, PORTRAIT, speaking=("person-6",)),
    "portrait-speaker-25-phones": Golden("speaker", (PHONE,) * 25, PORTRAIT),
    "portrait-screen": Golden("grid", (CAMERA, PHONE, None, CAMERA), PORTRAIT, screen=True),
    "square-speaker": Golden("speaker", (CAMERA,) * 6, (720, 720)),
    "speaker-4": Golden("speaker", (CAMERA, OLD, None, PHONE), speaking=("person-1",)),
    "speaker-screen": Golden("speaker", (CAMERA,) * 9, screen=True, speaking=("person-7",)),
    "single-speaker": Golden("single-speaker", (CAMERA,) * 3, speaking=("person-2",)),
    "single-speaker-muted": Golden("single-speaker", (CAMERA, None), speaking=("person-1",)),
}


def main(say: Callable[[str], None]) -> None:
    """Draw all of them anew."""
    for name, golden in SCENES.items():
        Image.fromarray(golden.draw().to_ndarray(format="rgb24")).save(GOLDEN / f"{name}.png", optimize=True)
        say(f"{name}.png")


if __name__ == "__main__":
    main(print)
