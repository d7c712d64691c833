"""What is there already is compared, and what follows is written."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from meet.recorder.composer.again import Again
from meet.recorder.composer.made import Unusable

THERE = bytes(range(100))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "composite.mp4"
    made.write_bytes(THERE)
    return made


def repeated(path: Path, count: int = 60) -> Again:
    file = Again(path)
    for first in range(0, count, 20):
        assert file.write(THERE[first : first + 20]) == 20
    file.repeating = False
    return file


def test_the_end_is_gone_on_with(path: Path) -> None:
    file = repeated(path)
    assert (file.tell(), path.read_bytes()) == (60, THERE)
    file.write(THERE[60:90])
    file.write(THERE[90:] + b"new")
    file.write(b"er")
    assert path.read_bytes() == THERE + b"newer"
    assert file.seek(44) == 44
    file.write(b"mdat")
    file.seek(105)
    file.write(b"!")
    file.close()
    file.close()
    assert path.read_bytes() == THERE[:44] + b"mdat" + THERE[48:] + b"newer!"


@pytest.mark.parametrize("write", [THERE[60:99] + b"another", THERE[60:80] + b"-" + THERE[81:], b"another"])
def test_an_end_that_is_to_be_another_is_cut_off(path: Path, write: bytes) -> None:
    """Bytes behind the difference that are equal by chance do not matter: they are written anew."""
    file = repeated(path)
    file.write(write)
    file.close()
    assert path.read_bytes() == THERE[:60] + write


def test_what_would_be_written_differently_stays(path: Path) -> None:
    file = Again(path)
    file.write(THERE[:30])
    for write in (b"another", THERE[30:] + b"more"):
        with pytest.raises(Unusable, match=r"from byte (30|100) on"):
            file.write(write)
    file.seek(8)
    with pytest.raises(Unusable):
        file.write(THERE[8:12])  # comes back to what it has written
    file.close()
    assert path.read_bytes() == THERE


def test_a_file_that_is_not_sought_from_its_end(path: Path) -> None:
    file = Again(path)
    with pytest.raises(OSError, match="only from the beginning"):
        file.seek(0, os.SEEK_END)
    file.close()
