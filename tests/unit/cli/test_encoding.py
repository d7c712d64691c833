"""`--encoding`: a preset, options in JSON, or a file with one of the two."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click
import pytest

from meet.cli.encoding import ENCODING


def test_options_and_presets(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_text('\n {"video": {"width": 640.5}}\n')
    expected: dict[str, Any] = {"video": {"width": 640.5}}
    assert ENCODING.convert(' {"video":{"width":640.5}}', None, None) == expected
    assert ENCODING.convert(f"@{file}", None, None) == expected
    file.write_text("H264_720P_60\n")
    assert ENCODING.convert(f"@{file}", None, None) == ENCODING.convert("H264_720P_60", None, None) == "H264_720P_60"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b'{"video": ', "the options are no JSON"),
        (b'{"video": NaN}', "the options are no JSON"),
        (b"{" * 5000, "the options are no JSON"),
        (b"\xff", "cannot be read"),
        (b"x" * 200_000, "is too large"),
        (None, "cannot be read"),
    ],
)
def test_what_is_none(tmp_path: Path, content: bytes | None, told: str) -> None:
    file = tmp_path / "a.json"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(click.BadParameter, match=re.escape(told)):
        ENCODING.convert(f"@{file}", None, None)
