"""`--encoding`: how a recording is encoded, as `POST /api/v1/recordings` takes it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import orjson

_LARGEST = 100 * 1024
"""Bytes of a file, as of a request's body."""


class EncodingType(click.ParamType[str | dict[str, Any]]):
    """The name of a preset, an options object in JSON, or `@` and the name of a file with one of the two."""

    name = "preset|json|@file"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> str | dict[str, Any]:  # what the options mean is checked by whoever uses them
        text = str(value).strip()
        if text.startswith("@"):
            text = self._read(Path(text[1:]), param, ctx).strip()
        if not text.startswith("{"):
            return text
        try:
            options: dict[str, Any] = orjson.loads(text)
        except orjson.JSONDecodeError as error:
            self.fail(f"the options are no JSON: {error}", param, ctx)
        return options

    def _read(self, path: Path, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            with path.open("rb") as file:
                content = file.read(_LARGEST + 1)
            if len(content) > _LARGEST:
                self.fail(f"{path} is too large", param, ctx)
            return content.decode()
        except (OSError, UnicodeDecodeError) as error:
            self.fail(f"{path} cannot be read: {error}", param, ctx)


ENCODING = EncodingType()
