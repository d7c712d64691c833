"""What every group of operations is made of: requests in, models out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, Final, Generic, TypeAlias, TypeVar
from urllib.parse import quote

import httpx
from pydantic import TypeAdapter, ValidationError

from meet.client.errors import UnexpectedAnswer
from meet.client.flow import Flow, Origin, exchange
from meet.client.inputs import to_json
from meet.client.models.base import Model, Page, camel
from meet.client.runner import AsyncRunner, SyncRunner

T = TypeVar("T")
M = TypeVar("M", bound=Model)

Names: TypeAlias = Sequence[str] | None
"""Names of fields, as a list or as a comma list."""

PUBLIC: Final = "/api/v1"
INTERNAL: Final = "/internal-api/v1"
EXTRA: Final = "/api/extra/v1"


class Resource:
    """A group of operations of one server."""

    def __init__(self, origin: Origin, runner: SyncRunner | AsyncRunner) -> None:
        self._origin = origin
        self.runner = runner

    def _request(
        self,
        method: str,
        path: str,
        answer: Callable[[bytes], T],
        *,
        query: dict[str, str] | None = None,
        body: Any = None,
        headers: dict[str, str] | None = None,
    ) -> Flow[T]:
        """Send, and read the body of the success with `answer`."""
        request = self._origin.request(method, path, query=query, body=to_json(body), headers=headers)
        response = yield from exchange(self._origin, request)
        return _read(response, answer)

    def _delete_several(self, path: str, answer: Callable[[bytes], T], *, query: dict[str, str]) -> Flow[T]:
        """A bulk deletion: that some failed (400) is a result, not an error."""
        request = self._origin.request("DELETE", path, query=query)
        response = yield from exchange(self._origin, request, accept=_is_bulk_result)
        return _read(response, answer)


class SyncResource(Resource):
    """Its operations block."""

    runner: SyncRunner


class AsyncResource(Resource):
    """Its operations are awaited."""

    runner: AsyncRunner


def _is_bulk_result(response: httpx.Response) -> bool:
    return response.is_success or (response.status_code == 400 and b'"failed"' in response.content)


def _read(response: httpx.Response, answer: Callable[[bytes], T]) -> T:
    try:
        return answer(response.content)
    except ValidationError as error:
        issue = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, issue["loc"])) or "the body"
        raise UnexpectedAnswer(
            f"the answer to {response.request.method} {response.request.url.path} is not one of this API: "
            f"{where}: {issue['msg']}"
        ) from None


def path(template: str, *ids: str) -> str:
    """`template` with each `{}` replaced by an identifier, quoted.

    Raises ValueError for what would make it the path of something else: nothing, and dots, which proxies resolve.
    """
    for item in ids:
        if not item.strip("."):
            raise ValueError(f"{item!r} is not an identifier")
    return template.format(*(quote(item, safe="") for item in ids))


def params(**values: Any) -> dict[str, str]:
    """Query parameters by their Python names; None is left out, lists become comma lists."""
    query: dict[str, str] = {}
    for name, value in values.items():
        if value is None:
            continue
        if isinstance(value, bool):
            text = str(value).lower()
        elif isinstance(value, str):
            text = value
        elif isinstance(value, Sequence):
            text = ",".join(value)
        else:
            text = str(value)
        query[camel(name)] = text
    return query


def given(**values: Any) -> dict[str, Any]:
    """The properties of a request body by their Python names; None is left out."""
    return {camel(name): value for name, value in values.items() if value is not None}


class PageReader(Generic[M]):
    """Reads list answers, whose entries are under `key`."""

    def __init__(self, item: type[M], key: str) -> None:
        self.item = item
        self.key = key

    @cached_property
    def _items(self) -> TypeAdapter[tuple[M, ...]]:
        return TypeAdapter(tuple[self.item, ...])  # type: ignore[name-defined]

    def __call__(self, content: bytes) -> Page[M]:
        body = _OBJECT.validate_json(content)
        about = _Pagination.model_validate(body.get("pagination"))
        return Page(self._items.validate_python(body.get(self.key)), about.next_page_token, about.max_items)


class _Pagination(Model):
    is_truncated: bool
    next_page_token: str | None = None
    max_items: int | float


_OBJECT: Final = TypeAdapter(dict[str, Any])
