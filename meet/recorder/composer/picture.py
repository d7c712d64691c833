"""The composed picture: who goes where in it, and drawing only what has changed since the last one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from meet.recorder.composer import overlay
from meet.recorder.composer.canvas import Canvas
from meet.recorder.composer.layout import LAYOUTS, MAX_TILES, WIDE, Rect, rectangles, strip_places, tile_aspect
from meet.recorder.composer.overlay import Overlay, Planes, Stamp
from meet.recorder.composer.scene import Key, Scene, Tile
from meet.recorder.composer.seats import Seats, Stage
from meet.recorder.composer.video import VideoTrack

OnTiles = Callable[[dict[str, tuple[int, int]]], None]
"""Track sid to the size at which it is drawn; (0, 0) when it is not."""

_LOOK_US: Final = 100_000
"""How often it is asked whether voices change what is seen."""


@dataclass(eq=False)
class _Placed:
    """A tile where it was drawn last. drawn: the picture's own rectangle, None while it is a placeholder."""

    tile: Tile
    rect: Rect
    video: VideoTrack | None
    label: Overlay | None
    drawn: Rect | None = None
    views: Planes | None = None
    stamp: Stamp | None = None

    def label_at(self) -> Rect:
        """Where the label lies: the lower left corner of the picture, or of the tile when that is too narrow."""
        assert self.label is not None
        margin = max(self.rect.height // 40, 2) & ~1
        inside = self.drawn is not None and self.drawn.width >= self.label.width + 2 * margin
        x, y, _, height = self.drawn if self.drawn is not None and inside else self.rect
        top = (y + height - self.label.height - margin) & ~1
        return Rect((x + margin) & ~1, top, self.label.width, self.label.height)


class Picture:
    """Draws a scene in a layout. Raises ValueError for an unknown one."""

    def __init__(self, width: int, height: int, layout: str, scene: Scene, on_tiles: OnTiles | None) -> None:
        if layout not in LAYOUTS:
            raise ValueError(f"unknown layout {layout!r}")
        self._layout, self._scene, self._on_tiles = layout, scene, on_tiles
        self._canvas = Canvas(width, height)
        self.frame = self._canvas.frame
        self._stage: Stage[Key] = Stage()
        self._seats: Seats[Key] = Seats()
        self._strip: Seats[Key] = Seats()
        self._placed: list[_Placed] = []
        self._told: dict[str, tuple[int, int]] = {}
        self._looked_at = 0
        self._by_voice = False

    def arrange_as(self, layout: str) -> None:
        """Another layout from the next picture on; unknown ones are ignored."""
        if layout in LAYOUTS:
            self._layout, self._scene.changed = layout, True

    def draw(self, now: int) -> bool:
        """Bring `frame` up to what was captured until `now`; False when that changed nothing."""
        scene, changed = self._scene, False
        scene.expire(now)
        if scene.changed or (self._by_voice and now - self._looked_at >= _LOOK_US):
            scene.changed, self._looked_at = False, now
            changed = self._arrange(now)
        shown = {id(placed.video) for placed in self._placed if placed.video is not None}
        for video in scene.videos():
            if id(video) not in shown:
                # A muted track is decoded all the same (it hardly sends): it is back without waiting for a key frame.
                video.advance(now, shown=video.muted)
        for placed in self._placed:
            if placed.video is not None and placed.video.advance(now, shown=True):
                self._show(placed)
                changed = True
        return changed

    def _chosen(self, now: int) -> tuple[str, list[Tile]]:
        """The layout's geometry and the tiles for its rectangles, in order."""
        screens, people = self._scene.screens(), self._scene.people()
        tiles = {tile.key: tile for tile in screens + people}
        speaking = [(identity, False) for identity in self._scene.speakers]
        faces = [tile.key for tile in people]
        seen = {tile.key for tile in people if tile.video is not None}
        self._by_voice = self._layout != "grid" or bool(screens) or len(people) > MAX_TILES
        if self._layout == "grid" and not screens:
            return "grid", [tiles[key] for key in self._seats.pick(faces, MAX_TILES, speaking, now, seen)]
        on_stage = screens[0].key if screens else self._stage.pick(faces, speaking, now)
        if on_stage is None:
            return "speaker", []
        if self._layout == "single-speaker":
            return self._layout, [tiles[on_stage]]
        others = [tile.key for tile in screens[1:]] + [key for key in faces if key != on_stage]
        below = self._strip.pick(others, strip_places(self._canvas.width, self._canvas.height), speaking, now, seen)
        return "speaker", [tiles[key] for key in (on_stage, *below)]

    def _arrange(self, now: int) -> bool:
        """Put every tile into its place; False when all were there."""
        layout, tiles = self._chosen(now)
        width, height = self._canvas.width, self._canvas.height
        aspect = WIDE
        if layout == "grid":
            pictures = [tile.video.picture for tile in tiles if tile.video is not None]
            sizes = [(picture.width, picture.height) for picture in pictures if picture is not None]
            aspect = tile_aspect(width, height, sizes, len(tiles))
        rects = rectangles(layout, width, height, len(tiles), aspect)
        wanted = list(zip(tiles, rects, strict=True))
        before = {placed.tile.key: placed for placed in self._placed}
        if [(tile.key, rect) for tile, rect in wanted] != [(p.tile.key, p.rect) for p in self._placed]:
            self._canvas.clear()
            before = {}
        self._placed, changed = [], len(wanted) != len(self._placed)
        for tile, rect in wanted:
            old = before.get(tile.key)
            if old is not None and old.video is tile.video and old.tile.name == tile.name:
                old.tile = tile
                self._placed.append(old)
                continue
            changed = True
            placed = _Placed(tile, rect, tile.video, overlay.label(tile.name, rect.width, rect.height))
            self._placed.append(placed)
            if tile.video is not None and tile.video.picture is not None:
                self._show(placed)
            else:
                self._canvas.placeholder(rect, tile.key[0], tile.name)
                self._name(placed)
        self._tell()
        return changed

    def _show(self, placed: _Placed) -> None:
        video = placed.video
        if video is None or video.picture is None:
            return
        target = self._canvas.target(video.picture, placed.rect)
        if target != placed.drawn or placed.views is None:
            # The first picture over a placeholder, or a turned phone: clean what the picture does not cover.
            self._scene.changed = True  # pictures of another shape may want tiles of another shape
            self._canvas.blank(placed.rect)
            placed.drawn, placed.views, placed.stamp = target, self._canvas.views(target), None
        elif target != placed.rect and placed.label is not None:
            self._canvas.blank(placed.label_at())  # of a narrow picture the label lies partly beside it
        video.scaler.draw(video.picture, placed.views)
        self._name(placed)

    def _name(self, placed: _Placed) -> None:
        if placed.label is not None:
            if placed.stamp is None:
                at = placed.label_at()
                placed.stamp = self._canvas.stamp(placed.label, at.x, at.y)
            placed.stamp.blend()

    def _tell(self) -> None:
        if self._on_tiles is None:
            return
        sizes = dict.fromkeys(self._scene.video_sids(), (0, 0))
        for placed in self._placed:
            if placed.video is not None:
                sizes[placed.tile.sid] = (placed.rect.width, placed.rect.height)
        if sizes != self._told:
            self._told = sizes
            self._on_tiles(sizes)
