"""Keyset paging (contract 2.0.3): pages stay correct while rows come and go, and cost the same wherever they start."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import orjson
from sqlalchemy import ColumnElement, Row, Select, and_, or_

from meet.core.errors import ValidationFailed
from meet.core.model.paging import Page, PageRequest

T = TypeVar("T")


def keyset(
    statement: Select[Any], sort: ColumnElement[Any], seq: ColumnElement[int], request: PageRequest
) -> Select[Any]:
    """`statement` in the requested order, after the request's cursor, with one row more than the page holds.

    Missing values sort before all others; ties are broken by `seq` in the same direction. Raises ValidationFailed for
    a token that is not one of ours."""
    descending = request.sort_order == "desc"
    if request.token is not None:
        value, last = _decode(request.token, sort)
        statement = statement.where(_after(sort, seq, value, last, descending))
    order = (sort.desc(), seq.desc()) if descending else (sort.asc(), seq.asc())
    return statement.order_by(*order).limit(request.max_items + 1)


def page_of(
    rows: Sequence[Row[*tuple[Any, ...]]],
    sort_name: str,
    request: PageRequest,
    build: Callable[[Row[*tuple[Any, ...]]], T],
) -> Page[T]:
    """The page out of the rows of a `keyset` statement; `sort_name` is the sort column's name in the rows."""
    kept = rows[: request.max_items]
    token = None
    if len(rows) > request.max_items:
        last = kept[-1]._mapping
        token = _encode(last[sort_name], last["seq"])
    return Page(tuple(build(row) for row in kept), token, request.max_items)


def _after(
    sort: ColumnElement[Any], seq: ColumnElement[int], value: Any, last: int, descending: bool
) -> ColumnElement[bool]:
    beyond = seq < last if descending else seq > last
    if value is None:
        among_missing = and_(sort.is_(None), beyond)
        return among_missing if descending else or_(among_missing, sort.is_not(None))
    further = sort < value if descending else sort > value
    condition = or_(further, and_(sort == value, beyond))
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
