"""Names of the built static files: `manifest.json`, written by `web/build.py`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path


class AssetsMissing(Exception):
    """The static files were never built, or by another version of the sources."""


class Assets:
    """Entry name -> file name with its content hash.

    Raises AssetsMissing when the manifest is absent or not what `web/build.py` writes.
    """

    def __init__(self, directory: Path) -> None:
        try:
            manifest = json.loads((directory / "manifest.json").read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise AssetsMissing("the pages' static files are missing; run `python web/build.py`") from error
        if not isinstance(manifest, dict):
            raise AssetsMissing("the manifest of the static files is damaged; run `python web/build.py --force`")
        self._files: Mapping[str, str] = manifest

    def file(self, entry: str) -> str:
        """File name of an entry. Raises AssetsMissing for a name the build did not produce."""
        try:
            return self._files[entry]
        except KeyError:
            raise AssetsMissing(f"the static files have no entry {entry!r}; run `python web/build.py`") from None
