"""Remembering on a full disk that the disk was full.

Such a disk takes no new file and no longer one, but lets a file that is there be renamed (ext4, XFS, tmpfs). So one is
there from the beginning. Where even that is refused, it is tried again.
"""

from __future__ import annotations

from pathlib import Path

from meet.recorder import durable


class Cutoff:
    """Whether the journal was cut off because it could not be written any more."""

    def __init__(self, journal: Path) -> None:
        self._no, self._yes = journal / "cutoff-no", journal / "cutoff-yes"

    @property
    def known(self) -> bool:
        """An earlier process, or this one, has said so."""
        return self._yes.exists()

    def prepare(self) -> None:
        """Make it possible to say so. Raises OSError."""
        if not self.known:
            self._no.touch()

    def remember(self) -> None:
        """Say so, durably. Raises OSError."""
        if not self.known:
            try:
                self._no.replace(self._yes)
            except FileNotFoundError:  # it was full before this could be prepared
                self._yes.touch()
        durable.sync_folder(self._yes.parent)
