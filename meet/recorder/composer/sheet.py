"""One canvas and what is on it, brought up to date by drawing only what differs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import av
import numpy as np

from meet.recorder.composer import overlay
from meet.recorder.composer.canvas import Canvas
from meet.recorder.composer.overlay import Overlay, Planes, Stamp
from meet.recorder.composer.scene import Tile
from meet.recorder.composer.tiles import Rect
from meet.recorder.composer.video import VideoTrack


@dataclass(eq=False)
class _Placed:
    """A tile as it was drawn last. version: of the track's picture; drawn: the picture's own rectangle, None while it
    is a placeholder."""

    rect: Rect
    name: str
    video: VideoTrack | None
    version: int
    label: Overlay | None
    drawn: Rect | None = None
    views: Planes | None = None
    stamp: Stamp | None = None

    def shows(self, tile: Tile, rect: Rect) -> bool:
        """Nothing of it would look different."""
        return (
            self.video is tile.video
            and (tile.video is None or self.version == tile.video.version)
            and self.name == tile.name
            and self.rect == rect
        )

    def label_at(self) -> Rect:
        """Where the label lies: the lower left corner of the picture, or of the tile when that is too narrow."""
        assert self.label is not None
        margin = max(self.rect.height // 40, 2) & ~1
        inside = self.drawn is not None and self.drawn.width >= self.label.width + 2 * margin
        x, y, _, height = self.drawn if self.drawn is not None and inside else self.rect
        top = (y + height - self.label.height - margin) & ~1
        return Rect((x + margin) & ~1, top, self.label.width, self.label.height)


class Sheet:
    """`frame` is what goes to the encoder. Several take turns, so that some can be drawn before any is encoded."""

    def __init__(self, width: int, height: int) -> None:
        self._canvas = Canvas(width, height)
        self._placed: list[_Placed] = []
        self._places: list[tuple[tuple[str, bool], Rect]] = []

    @property
    def frame(self) -> av.VideoFrame:
        """The picture; drawn over when it is this sheet's turn again."""
        return self._canvas.frame

    def draw(self, wanted: Sequence[tuple[Tile, Rect]], before: Sheet) -> bool:
        """Show these tiles; what has not changed since the sheet `before` is copied from there, if need be.

        True when a track's picture has another shape than what was in its place."""
        places = [(tile.key, rect) for tile, rect in wanted]
        if places != self._places:
            self._canvas.clear()
            self._placed, self._places = [], places
        mine: list[_Placed | None] = list(self._placed) or [None] * len(wanted)
        theirs = before._placed if before is not self and before._places == places else []
        reshaped = False
        for number, (tile, rect) in enumerate(wanted):
            old = mine[number]
            if old is not None and old.shows(tile, rect):
                continue
            if old is None or old.video is not tile.video or old.name != tile.name:
                label = overlay.label(tile.name, rect.width, rect.height)
                old = mine[number] = _Placed(rect, tile.name, tile.video, -1, label)
            source = theirs[number] if theirs else None
            if source is not None and source.shows(tile, rect):
                self._copy(old, before, source)
            elif tile.video is not None and tile.video.picture is not None:
                reshaped |= self._show(old, tile.video, tile.video.picture)
            elif old.drawn is None:
                self._canvas.placeholder(rect, tile.key[0], tile.owner)
                self._name(old)
            old.version = tile.video.version if tile.video is not None else 0
        self._placed = [placed for placed in mine if placed is not None]
        return reshaped

    def _copy(self, placed: _Placed, sheet: Sheet, source: _Placed) -> None:
        for into, what in zip(self._canvas.views(placed.rect), sheet._canvas.views(source.rect), strict=True):
            np.copyto(into, what)
        if placed.drawn != source.drawn:
            placed.drawn, placed.views, placed.stamp = source.drawn, None, None

    def _show(self, placed: _Placed, video: VideoTrack, picture: av.VideoFrame) -> bool:
        target = self._canvas.target(picture, placed.rect)
        reshaped = target != placed.drawn
        if reshaped:
            # The first picture over a placeholder, or a turned phone: clean what the picture does not cover.
            self._canvas.blank(placed.rect)
            placed.drawn, placed.views, placed.stamp = target, None, None
        elif target != placed.rect and placed.label is not None:
            self._canvas.blank(placed.label_at())  # of a narrow picture the label lies partly beside it
        if placed.views is None:
            placed.views = self._canvas.views(target)
        video.draw(placed.views)
        self._name(placed)
        return reshaped

    def _name(self, placed: _Placed) -> None:
        if placed.label is not None:
            if placed.stamp is None:
                at = placed.label_at()
                placed.stamp = self._canvas.stamp(placed.label, at.x, at.y)
            placed.stamp.blend()
