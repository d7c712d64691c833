"""A camera picture that looks like a person, for Chromium's `--use-file-for-fake-video-capture`."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT, FPS, SECONDS = 640, 360, 15, 2
Colour = tuple[int, int, int]


def write_y4m(path: Path, *, wall: Colour, shirt: Colour, skin: Colour, hair: Colour) -> Path:
    """Head and shoulders in front of a wall, swaying a little; YUV4MPEG2, 4:2:0, two seconds that loop."""
    frames = FPS * SECONDS
    with path.open("wb") as file:
        file.write(f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F{FPS}:1 Ip A1:1 C420jpeg\n".encode())
        for index in range(frames):
            sway = math.sin(2 * math.pi * index / frames)
            file.write(b"FRAME\n" + _yuv(_picture(sway, wall, shirt, skin, hair)))
    return path


def _picture(sway: float, wall: Colour, shirt: Colour, skin: Colour, hair: Colour) -> NDArray[np.float32]:
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    light = 1.12 - 0.35 * np.hypot((x - WIDTH * 0.3) / WIDTH, (y - HEIGHT * 0.2) / HEIGHT)
    picture = light[..., None] * np.array(wall, np.float32)
    centre = WIDTH / 2 + 5 * sway
    parts = (
        (hair, centre, 148, 66, 78),
        (shirt, WIDTH / 2 + 2 * sway, 372, 168, 132),
        (skin, centre, 236, 27, 46),
        (skin, centre, 162, 53, 66),
        (hair, centre, 108 + sway, 56, 34),
    )
    for colour, cx, cy, rx, ry in parts:
        distance = np.hypot((x - cx) / rx, (y - cy) / ry)
        cover = np.clip((1.0 - distance) * min(rx, ry) / 1.5, 0.0, 1.0)[..., None]
        shade = 1.06 - 0.16 * np.clip((x - cx) / rx, -1, 1)[..., None]
        picture = picture * (1 - cover) + cover * shade * np.array(colour, np.float32)
    return np.asarray(np.clip(picture, 0, 255), np.float32)


def _yuv(rgb: NDArray[np.float32]) -> bytes:
    """Full-range BT.601 planes, chroma at half size."""
    red, green, blue = rgb[..., 0], rgb[..., 1], rgb[..., 2]
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    blueness = 128 + (blue - luma) * 0.564
    redness = 128 + (red - luma) * 0.713
    halves = [plane.reshape(HEIGHT // 2, 2, WIDTH // 2, 2).mean((1, 3)) for plane in (blueness, redness)]
    return b"".join(np.clip(plane, 0, 255).astype(np.uint8).tobytes() for plane in (luma, *halves))
