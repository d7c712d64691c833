"""What the pages need to know, injected by the composition root."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

STATIC_DIR = Path(__file__).parent / "static"


@dataclass(frozen=True)
class WebConfig:
    """`media_url` maps the public base URL of a request to the media server's URL as browsers must use it.

    It has to be the function that also fills `livekitUrl` of room member tokens: the Content-Security-Policy lets
    pages connect to that origin and to no other. `static_dir` is what `web/build.py` wrote.
    """

    media_url: Callable[[str], str]
    static_dir: Path = STATIC_DIR
