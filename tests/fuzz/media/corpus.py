"""Where inputs are kept."""

from __future__ import annotations

from pathlib import Path

CORPUS = Path(__file__).parent.parent / "corpus"


def inputs(target: str) -> list[Path]:
    """The kept inputs of a target; makes the folder."""
    folder = CORPUS / target
    folder.mkdir(parents=True, exist_ok=True)
    return sorted(folder.iterdir())
