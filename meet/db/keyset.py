"""Keyset paging (contract 2.0.3): pages stay correct while rows come and go, and cost the same wherever they start."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

import orjson
from sqlalchemy import ColumnElement, Integer, Select, and_, bindparam, or_, tuple_

from meet.core.errors import ValidationFailed
from meet.core.model.paging import Page, PageRequest

T = TypeVar("T")


class Sortable(Protocol):
    """A row with the column it is sorted by, and `seq`."""

    @property
    def seq(self) -> int: ...


R = TypeVar("R", bound=Sortable)


def keyset(
    statement: Select[Any], sort: ColumnElement[Any], seq: ColumnElement[int], request: PageRequest
) -> Select[Any]:
    """`statement` in the requested order, after the request's cursor, with one row more than the page holds.

    Missing values sort before all others; ties are broken by `seq` in the same direction. The parameters have the names
    and values of `position`. Raises ValidationFailed for a token that is not one of ours."""
    descending = request.sort_order == "desc"
    values = position(sort, request)
    if request.token is not None:
        statement = statement.where(_after(sort, seq, values, descending))
    order = (sort.desc(), seq.desc()) if descending else (sort.asc(), seq.asc())
    return statement.order_by(*order).limit(bindparam("page_rows", values["page_rows"], Integer))


def position(sort: ColumnElement[Any], request: PageRequest) -> dict[str, Any]:
    """`page_rows`, and with a cursor `cursor_value` and `cursor_seq`. Raises ValidationFailed."""
    values: dict[str, Any] = {"page_rows": request.max_items + 1}
    if request.token is not None:
        values["cursor_value"], values["cursor_seq"] = _decode(request.token, sort)
    return values


def page_of(rows: Sequence[R], sort_name: str, request: PageRequest, build: Callable[[R], T]) -> Page[T]:
    """The page out of the rows of a `keyset` statement; `sort_name` is the sort column's name in the rows."""
    kept = rows[: request.max_items]
    token = None
    if len(rows) > request.max_items:
        last = kept[-1]
        token = _encode(getattr(last, sort_name), last.seq)
    return Page(tuple([build(row) for row in kept]), token, request.max_items)


def _after(
    sort: ColumnElement[Any], seq: ColumnElement[int], values: dict[str, Any], descending: bool
) -> ColumnElement[bool]:
    last = bindparam("cursor_seq", values["cursor_seq"], Integer)
    if values["cursor_value"] is None:
        among_missing = and_(sort.is_(None), seq < last if descending else seq > last)
        return among_missing if descending else or_(among_missing, sort.is_not(None))
    # As a row value SQLite takes the condition for a range of the index, and begins to read there.
    here, there = tuple_(sort, seq), tuple_(bindparam("cursor_value", values["cursor_value"], sort.type), last)
    condition: ColumnElement[bool] = here < there if descending else here > there
    return or_(condition, sort.is_(None)) if descending and getattr(sort, "nullable", False) else condition


def _encode(value: Any, seq: int) -> str:
    return base64.b64encode(orjson.dumps({"fieldValue": value, "id": str(seq)})).decode()


def _decode(token: str, sort: ColumnElement[Any]) -> tuple[Any, int]:
    try:
        cursor = orjson.loads(base64.b64decode(token, validate=True))
        value, seq = cursor["fieldValue"], int(cursor["id"])
    except (binascii.Error, ValueError, KeyError, TypeError):
        raise ValidationFailed.one("nextPageToken", "Invalid nextPageToken") from None
    wanted = (str,) if sort.type.python_type is str else (int, float)
    if isinstance(value, bool) or (value is not None and not isinstance(value, wanted)) or seq.bit_length() > 63:
        raise ValidationFailed.one("nextPageToken", "Invalid nextPageToken")
    return value, seq
