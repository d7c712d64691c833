"""The composed picture: who goes where in it, and drawing only what has changed since the last one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import av

from meet.recorder.composer.layout import LAYOUTS, rectangles, strip_places
from meet.recorder.composer.scene import Key, Scene, Tile
from meet.recorder.composer.seats import Seats, Stage
from meet.recorder.composer.sheet import Sheet
from meet.recorder.composer.tiles import MAX_TILES, Rect, Size

OnTiles = Callable[[dict[str, tuple[int, int]]], None]
"""Track sid to the size at which it is drawn; (0, 0) when it is not."""

_LOOK_US: Final = 100_000
"""How often it is asked whether voices change what is seen."""

_COMING_US: Final = 1_000_000
"""So long the one before stays on stage while there is no picture of the next."""
_NAMED_US: Final = 5_000_000
"""So long a shared screen bears a name; after that it would hide what is shown."""

_SHEETS: Final = 8
_SHEETS_BYTES: Final = 32 << 20


def _size(tile: Tile) -> Size | None:
    picture = tile.video.picture if tile.video is not None else None
    return (picture.width, picture.height) if picture is not None else None


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
        self._awaited: list[Tile] = []
        self._on_stage: Key | None = None
        self._coming: tuple[Key, int] | None = None
        self._shared: dict[str, int] = {}

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
        self._await(now, decode=False)
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
        seen = {id(tile.video) for tile in self._passed}
        for video in self._scene.videos():
            if id(video) in seen:
                on_step()
                video.catch_up()
        self._passed, self._scene.changed = [], True

    def draw(self, now: int) -> bool:
        """Make a picture of what was captured until `now`; False when it is the last one again."""
        scene = self._scene
        scene.expire(now)
        self._await(now, decode=True)
        if scene.changed or (self._by_voice and now - self._looked_at >= _LOOK_US):
            scene.changed, self._looked_at = False, now
            self._arrange(now)
        shown = {id(tile.video) for tile, _ in self._wanted} | {id(tile.video) for tile in self._awaited}
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

    def _await(self, now: int, *, decode: bool) -> None:
        """Shared screens take their place when there is something to see."""
        for tile in self._awaited:
            if tile.video is not None:
                tile.video.advance(now, shown=True, decode=decode)
                self._scene.changed |= tile.video.has_picture

    def _chosen(self, now: int) -> tuple[str, list[Tile]]:
        """The layout's geometry and the tiles for its rectangles, in order."""
        (screens, self._awaited), people = self._scene.screens(), self._scene.people()
        self._shared = {tile.sid: self._shared.get(tile.sid, now) for tile in screens}
        screens = [tile if now - self._shared[tile.sid] < _NAMED_US else replace(tile, name="") for tile in screens]
        tiles = {tile.key: tile for tile in screens + people}
        speaking = [(identity, False) for identity in self._scene.speakers]
        faces = [tile.key for tile in people]
        seen = {tile.key for tile in people if tile.video is not None}
        self._by_voice = self._layout != "grid" or bool(screens) or len(people) > MAX_TILES
        if self._layout == "grid" and not screens:
            return "grid", [tiles[key] for key in self._seats.pick(faces, MAX_TILES, speaking, now, seen)]
        on_stage = screens[0].key if screens else self._staged(self._stage.pick(faces, speaking, now), tiles, now)
        if on_stage is None:
            return "speaker", []
        if self._layout == "single-speaker":
            return self._layout, [tiles[on_stage]]
        places = strip_places(self._width, self._height)
        others = [tile.key for tile in screens[1 : places + 1]]
        people_below = [key for key in faces if key != on_stage]
        below = others + self._strip.pick(people_below, places - len(others), speaking, now, seen)
        return "speaker", [tiles[key] for key in (on_stage, *below)]

    def _staged(self, key: Key | None, tiles: dict[Key, Tile], now: int) -> Key | None:
        """Who is seen on stage when this one should be: the one before until there is a picture, if there will be."""
        video = tiles[key].video if key is not None else None
        waits = video is not None and not video.has_picture and self._on_stage in tiles
        if key is not None and key != self._on_stage and waits:
            if self._coming is None or self._coming[0] != key:
                self._coming = key, now
            if now - self._coming[1] < _COMING_US:
                self._awaited.append(tiles[key])
                return self._on_stage
        self._on_stage, self._coming = key, None
        return key

    def _arrange(self, now: int) -> None:
        """Find every tile's place."""
        layout, tiles = self._chosen(now)
        shared = bool(tiles) and tiles[0].key[1]
        rects = rectangles(layout, self._width, self._height, [_size(tile) for tile in tiles], shared=shared)
        self._wanted = list(zip(tiles, rects, strict=True))
        self._tell()

    def _tell(self) -> None:
        if self._on_tiles is None:
            return
        sizes = dict.fromkeys(self._scene.video_sids(), (0, 0))
        sizes.update((tile.sid, (self._width, self._height)) for tile in self._awaited)
        for tile, rect in self._wanted:
            if tile.video is not None:
                sizes[tile.sid] = (rect.width, rect.height)
        if sizes != self._told:
            self._told = sizes
            self._on_tiles(sizes)
