"""The composed picture: who goes where in it, and drawing only what has changed since the last one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import av

from meet.recorder.composer.layout import LAYOUTS, MAX_TILES, WIDE, Rect, rectangles, strip_places, tile_aspect
from meet.recorder.composer.scene import Key, Scene, Tile
from meet.recorder.composer.seats import Seats, Stage
from meet.recorder.composer.sheet import Sheet

OnTiles = Callable[[dict[str, tuple[int, int]]], None]
"""Track sid to the size at which it is drawn; (0, 0) when it is not."""

_LOOK_US: Final = 100_000
"""How often it is asked whether voices change what is seen."""

_SHEETS: Final = 8
_SHEETS_BYTES: Final = 32 << 20


class Picture:
    """Draws a scene in a layout. Raises ValueError for an unknown one. The last `ahead` pictures are kept."""

    def __init__(self, width: int, height: int, layout: str, scene: Scene, on_tiles: OnTiles | None) -> None:
        if layout not in LAYOUTS:
            raise ValueError(f"unknown layout {layout!r}")
        self._layout, self._scene, self._on_tiles = layout, scene, on_tiles
        self._width, self._height = width, height
        self.ahead = max(1, min(_SHEETS, _SHEETS_BYTES // (width * height * 3 // 2)))
        self._sheets = [Sheet(width, height) for _ in range(self.ahead)]
        self._turn = 0
        self._stage: Stage[Key] = Stage()
        self._seats: Seats[Key] = Seats()
        self._strip: Seats[Key] = Seats()
        self._wanted: list[tuple[Tile, Rect]] = []
        self._state: list[tuple[object, ...]] = []
        self._told: dict[str, tuple[int, int]] = {}
        self._looked_at = 0
        self._by_voice = False
        self._passed: list[Tile] = []

    @property
    def frame(self) -> av.VideoFrame:
        """What was drawn last."""
        return self._sheets[self._turn].frame

    def arrange_as(self, layout: str) -> None:
        """Another layout from the next picture on; unknown ones are ignored."""
        if layout in LAYOUTS:
            self._layout, self._scene.changed = layout, True

    def pass_over(self, now: int) -> bool:
        """Like `draw`, but nothing is decoded or drawn: only who is seen, and what of, goes on."""
        scene, changed = self._scene, False
        scene.expire(now)
        if scene.changed or (self._by_voice and now - self._looked_at >= _LOOK_US):
            scene.changed, self._looked_at = False, now
            tiles = self._chosen(now)[1]
            changed = [(t.key, t.name, t.video) for t in tiles] != [(t.key, t.name, t.video) for t in self._passed]
            self._passed = tiles
        shown = {id(tile.video) for tile in self._passed}
        for video in scene.videos():
            seen = id(video) in shown
            changed |= video.advance(now, shown=seen or video.muted, decode=False) and seen
        return changed

    def catch_up(self, on_step: Callable[[], None]) -> None:
        """After `pass_over`: from the next picture on, draw again. on_step: called before every track's decoding."""
        for video in self._scene.videos():
            on_step()
            video.catch_up()
        self._passed, self._scene.changed = [], True

    def draw(self, now: int) -> bool:
        """Make a picture of what was captured until `now`; False when it is the last one again."""
        scene = self._scene
        scene.expire(now)
        if scene.changed or (self._by_voice and now - self._looked_at >= _LOOK_US):
            scene.changed, self._looked_at = False, now
            self._arrange(now)
        shown = {id(tile.video) for tile, _ in self._wanted}
        for video in scene.videos():
            # A muted track is decoded all the same (it hardly sends): it is back without waiting for a key frame.
            video.advance(now, shown=id(video) in shown or video.muted)
        state: list[tuple[object, ...]] = [
            (tile.key, rect, tile.name, tile.video, tile.video.version if tile.video is not None else 0)
            for tile, rect in self._wanted
        ]
        if state == self._state:
            return False
        self._state = state
        before = self._sheets[self._turn]
        self._turn = (self._turn + 1) % self.ahead
        if self._sheets[self._turn].draw(self._wanted, before):
            scene.changed = True  # pictures of another shape may want tiles of another shape
        return True

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
        below = self._strip.pick(others, strip_places(self._width, self._height), speaking, now, seen)
        return "speaker", [tiles[key] for key in (on_stage, *below)]

    def _arrange(self, now: int) -> None:
        """Find every tile's place."""
        layout, tiles = self._chosen(now)
        aspect = WIDE
        if layout == "grid":
            pictures = [tile.video.picture for tile in tiles if tile.video is not None]
            sizes = [(picture.width, picture.height) for picture in pictures if picture is not None]
            aspect = tile_aspect(self._width, self._height, sizes, len(tiles))
        rects = rectangles(layout, self._width, self._height, len(tiles), aspect)
        self._wanted = list(zip(tiles, rects, strict=True))
        self._tell()

    def _tell(self) -> None:
        if self._on_tiles is None:
            return
        sizes = dict.fromkeys(self._scene.video_sids(), (0, 0))
        for tile, rect in self._wanted:
            if tile.video is not None:
                sizes[tile.sid] = (rect.width, rect.height)
        if sizes != self._told:
            self._told = sizes
            self._on_tiles(sizes)
