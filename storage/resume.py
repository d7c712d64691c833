"""What an upload in parts has achieved, kept in a file beside what is uploaded."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import structlog

from .multipart import MultipartUpload, Part, StoredPart, digest

log = structlog.get_logger(__name__)


class Progress:
    """The note of one upload: its id, and the parts that the store has acknowledged. store: its name.

    Losing the note costs sending the parts again, nothing else; so it is written without waiting for the disk."""

    def __init__(self, path: Path, store: str) -> None:
        self._path, self._store = path, store

    def fruitless(self) -> int:
        """One more try in which no part arrived; how many there were in a row."""
        try:
            content = json.loads(self._path.read_bytes())
            content["fruitless"] = int(content.get("fruitless", 0)) + 1
            self._path.write_text(json.dumps(content))
        except (OSError, ValueError):
            return 0
        return int(content["fruitless"])

    def save(self, upload: MultipartUpload, parts: Sequence[StoredPart]) -> None:
        """Remember this; where the disk is full, do without."""
        content: dict[str, Any] = {"store": self._store, "key": upload.key}
        content |= {"upload_id": upload.upload_id, "parts": [asdict(part) for part in parts]}
        temporary = self._path.with_name(f".{self._path.name}.tmp")
        try:
            temporary.write_text(json.dumps(content))
            temporary.replace(self._path)
        except OSError as error:
            log.warning("upload_progress_not_noted", key=upload.key, reason=error.strerror)

    def load(self, key: str) -> tuple[str, list[StoredPart]] | None:
        """(upload id, parts) of an upload of this store to `key`; None when nothing usable is noted."""
        try:
            content = json.loads(self._path.read_bytes())
            if content.get("store", self._store) != self._store:
                # What is there is forgotten by the rule that expires incomplete uploads.
                log.warning("upload_left_in_former_store", key=key, store=content["store"])
                return None
            parts = [StoredPart(**part) for part in content["parts"]]
            return (str(content["upload_id"]), parts) if content["key"] == key else None
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return None

    def forget(self) -> None:
        """The upload is over."""
        self._path.unlink(missing_ok=True)


def unchanged(path: Path, plan: Sequence[Part], stored: Sequence[StoredPart]) -> list[StoredPart]:
    """Those of the acknowledged parts that are what the file holds now. Blocking. Raises OSError, ValueError."""
    planned = {part.number: part for part in plan}
    return [
        known for known in stored if known.number in planned and digest(path, planned[known.number]).hex() == known.md5
    ]
