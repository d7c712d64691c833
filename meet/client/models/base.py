"""What all answers have in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, Self, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict, Field, model_validator

T = TypeVar("T")

Milliseconds: TypeAlias = int
"""A moment: milliseconds since 1970-01-01 UTC."""

Number: TypeAlias = int | float


def camel(name: str) -> str:
    """The API's spelling of a Python name. (Pydantic's own generator makes `e2Ee` of `e2ee`.)"""
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)


class Model(BaseModel):
    """An answer. Attributes are the document's names in snake case; `to_json` has them as they were sent.

    Made for servers of any age: what this version does not know is kept in `model_extra`, and a new word in place of
    one of the listed ones is passed on.
    """

    model_config = ConfigDict(
        alias_generator=camel,
        populate_by_name=True,
        frozen=True,
        extra="allow",
        hide_input_in_errors=True,
        defer_build=True,  # a program uses a few of them, and importing this package should be quick
    )

    def to_json(self) -> dict[str, Any]:
        """The answer as JSON, only with what the server sent."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True)


def sent(**options: Any) -> Any:
    """A property that is always sent unless `fields` leaves it out. To be used in a `Selection`."""
    return Field(default=None, **options)


class Selection(Model):
    """An answer whose properties depend on `fields` and `extra_fields`.

    Reading one that was not asked for raises AttributeError, so that a forgotten name is not mistaken for a value.
    """

    @model_validator(mode="after")
    def _forget_what_was_not_sent(self) -> Self:
        for name, info in type(self).model_fields.items():
            if name not in self.model_fields_set and info.annotation is not None and not _optional(info.annotation):
                self.__dict__.pop(name, None)
        return self


def _optional(annotation: Any) -> bool:
    return type(None) in getattr(annotation, "__args__", ())


@dataclass(frozen=True)
class Page(Generic[T]):
    """One page of a list. `next_page_token` is None on the last one; `max_items` is the page size that was applied."""

    items: Sequence[T]
    next_page_token: str | None
    max_items: Number


class Message(Model):
    """What was done, in one sentence."""

    message: str
