"""Where the parts of a built web app are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

# Angular's builder writes `browser/`, OpenVidu Meet's own build `public/frontend/` beside `public/webcomponent/`.
_APP_FOLDERS = (".", "browser", "frontend", "public/frontend")
_COMPONENT_FOLDERS = ("v1", "webcomponent", "../webcomponent")
_COMPONENT_NAMES = {
    "openvidu-meet.js": ("openvidu-meet.loader.min.js", "openvidu-meet.bundle.min.js", "openvidu-meet.js"),
    "openvidu-meet.esm.js": ("openvidu-meet.esm.bundle.min.js", "openvidu-meet.esm.js"),
}


class FrontendMissing(Exception):
    """MEET_FRONTEND_DIR does not hold a built web app."""


@dataclass(frozen=True, slots=True)
class FrontendFolder:
    """`app` holds index.html and everything it loads; `components` maps names below `v1/` to the scripts' files."""

    app: Path
    components: dict[str, Path]

    @classmethod
    def find(cls, directory: Path) -> Self:
        """Look at the usual places below `directory`. Raises FrontendMissing when there is no index.html."""
        for name in _APP_FOLDERS:
            app = (directory / name).resolve()
            if (app / "index.html").is_file():
                return cls(app, _components(app, directory.resolve()))
        raise FrontendMissing(f"MEET_FRONTEND_DIR={directory} holds no index.html; point it at a built web app")


def _components(app: Path, directory: Path) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for served, names in _COMPONENT_NAMES.items():
        for name in names:
            for base in dict.fromkeys((app, directory)):
                for folder in _COMPONENT_FOLDERS:
                    candidate = base / folder / name
                    if candidate.is_file():
                        found.setdefault(served, candidate.resolve())
    return found
