"""Fetching a file so that no byte is fetched twice and no half file is taken for a whole one.

Bytes go to `<target>.part`; `<target>.part.etag` holds the ETag of the file they belong to. When the connection is cut,
or the next time, the rest is asked for with `Range` and `If-Range` (RFC 9110, 13.1.5 and 14.2): a server whose file
has changed since then sends all of it. The complete file, of the promised size, takes the name `target` in one step.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import IO, TypeAlias

import httpx

from meet.client.errors import DownloadFailed, from_transport
from meet.client.flow import Close, Flow, Origin, Save, Wait, exchange

Progress: TypeAlias = Callable[[int, int | None], None]
"""Called with the bytes that are there and the bytes in all; the latter are None if the server does not tell."""


def download(
    origin: Origin, path: str, target: Path, *, query: dict[str, str], progress: Progress | None = None
) -> Flow[Path]:
    """`target`, complete. Raises ApiError, ConnectionFailed, DownloadFailed, OSError.

    A connection that was cut is made again as long as that brings new bytes; what has arrived stays for the next call.
    """
    part = _Part(target)
    fruitless = 0
    while True:
        before = part.size
        url = origin.url
        try:
            request = origin.request("GET", path, query=query, headers=part.headers())
            url = request.url
            response = yield from exchange(origin, request, stream=True, accept=_is_answer)
            if response.status_code == 416:
                # More than all is here already: another file, or nothing was left to ask for.
                if part.size == _size_of_unsatisfied(response):
                    return part.finish(part.size)
                part.drop()
                continue
            try:
                total = part.begin(response)
            except BaseException:
                yield Close(response)
                raise
            with part:
                report = _reporter(progress, part, total)
                report()
                yield Save(response, part.write, report)
            return part.finish(total)
        except httpx.HTTPError as error:
            fruitless = 0 if part.size > before else fruitless + 1
            if fruitless >= origin.retry.attempts:
                raise from_transport(error, url) from error
            yield Wait(origin.retry.pause(max(1, fruitless)))


def _is_answer(response: httpx.Response) -> bool:
    return response.status_code in (200, 206) or (response.status_code == 416 and "Range" in response.request.headers)


def _size_of_unsatisfied(response: httpx.Response) -> int | None:
    match = re.fullmatch(r"bytes \*/(\d+)", response.headers.get("Content-Range", ""))
    return int(match[1]) if match else None


def _reporter(progress: Progress | None, part: _Part, total: int | None) -> Callable[[], None]:
    return lambda: progress(part.size, total) if progress is not None else None


class _Part:
    """The incomplete file and the note which file it is a part of."""

    def __init__(self, target: Path) -> None:
        self._target = target
        self._path = target.with_name(f"{target.name}.part")
        self._note = target.with_name(f"{target.name}.part.etag")
        self._file: IO[bytes] | None = None
        self.etag = self._note.read_text("ascii").strip() if self._note.exists() else ""
        self.size = self._path.stat().st_size if self.etag and self._path.exists() else 0

    def headers(self) -> dict[str, str]:
        """What asks for the missing bytes only. Compressed bytes could not be continued."""
        plain = {"Accept-Encoding": "identity"}
        if not (self.size and self.etag):
            return plain
        return {**plain, "Range": f"bytes={self.size}-", "If-Range": self.etag}

    def begin(self, response: httpx.Response) -> int | None:
        """Open the file where this response goes on; the size of the whole file. Raises DownloadFailed, OSError."""
        length = response.headers.get("Content-Length")
        if response.status_code == 206:
            match = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+)", response.headers.get("Content-Range", ""))
            if match is None or int(match[1]) != self.size:
                self.drop()
                raise DownloadFailed("the server sent another range than the one it was asked for")
            self._file = self._path.open("ab")
            return int(match[3])
        etag = response.headers.get("ETag", "")
        self.etag = "" if etag.startswith("W/") else etag  # only a strong one may continue a file
        self.drop()
        self._file = self._path.open("wb")
        if self.etag:
            self._note.write_text(self.etag, "ascii")
        return int(length) if length is not None else None

    def write(self, chunk: bytes) -> None:
        """Append."""
        assert self._file is not None
        self._file.write(chunk)
        self.size += len(chunk)

    def drop(self) -> None:
        """Start from nothing."""
        self.size = 0
        self._note.unlink(missing_ok=True)
        self._path.unlink(missing_ok=True)

    def finish(self, total: int | None) -> Path:
        """The file under its own name. Raises DownloadFailed when its size is not the promised one."""
        if total is not None and self.size != total:
            size = self.size
            self.drop()
            raise DownloadFailed(f"{size} bytes arrived instead of {total}")
        with self._path.open("rb") as file:
            os.fsync(file.fileno())
        self._path.replace(self._target)
        self._note.unlink(missing_ok=True)
        return self._target

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
