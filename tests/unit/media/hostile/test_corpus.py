"""Inputs that once broke something and a few good ones, through all targets; `tests.fuzz.media` finds more."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fuzz.media.corpus import CORPUS, inputs
from tests.fuzz.media.targets import TARGETS, close


@pytest.fixture(autouse=True, scope="module")
def _closed() -> Iterator[None]:
    yield
    close()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("target", TARGETS)
def test_nothing_breaks_on_what_is_kept(target: str) -> None:
    kept = inputs(target)
    assert kept
    for path in kept:
        TARGETS[target](path.read_bytes())


def test_every_folder_has_a_target() -> None:
    assert {folder.name for folder in CORPUS.iterdir()} == TARGETS.keys()
