"""One method for both clients.

An operation is written once, as a method that returns a flow. Read from a resource of the blocking client it is a
function with the flow's result; read from one of the asyncio client it is a coroutine function. Arguments and
documentation are those of the method, for type checkers and for `help()` alike.
"""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from types import MethodType
from typing import Any, Concatenate, Generic, ParamSpec, Self, TypeVar, overload

from meet.client.flow import Flow
from meet.client.models.base import Page
from meet.client.resource import AsyncResource, Resource, SyncResource
from meet.client.runner import AsyncRunner, SyncRunner

P = ParamSpec("P")
T = TypeVar("T")


class Operation(Generic[P, T]):
    """A descriptor: see the module. `ids` are the `operationId`s that it uses."""

    def __init__(self, build: Callable[Concatenate[Any, P], Flow[T]], *ids: str) -> None:
        self.build = build
        self.ids = ids
        self.__doc__ = build.__doc__

    @overload
    def __get__(self, resource: None, owner: type) -> Self: ...

    @overload
    def __get__(self, resource: SyncResource, owner: type) -> Callable[P, T]: ...

    @overload
    def __get__(self, resource: AsyncResource, owner: type) -> Callable[P, Awaitable[T]]: ...

    def __get__(self, resource: Resource | None, owner: type) -> Any:
        if resource is None:
            return self
        build = MethodType(self.build, resource)

        @functools.wraps(build)
        def call(*args: Any, **kwargs: Any) -> Any:
            return resource.runner.run(build(*args, **kwargs))

        return call


def operation(
    *ids: str,
) -> Callable[[Callable[Concatenate[Any, P], Flow[T]]], Operation[P, T]]:
    """Make a method that returns a flow an operation; `ids` as in the OpenAPI documents."""
    return lambda build: Operation(build, *ids)


class Iteration(Generic[P, T]):
    """All entries of a list operation, one page after the other, fetched when they are needed."""

    def __init__(self, pages: Operation[P, Page[T]]) -> None:
        self._build = pages.build
        self.__doc__ = f"Every entry on this and all further pages. {pages.__doc__}"

    @overload
    def __get__(self, resource: None, owner: type) -> Self: ...

    @overload
    def __get__(self, resource: SyncResource, owner: type) -> Callable[P, Iterator[T]]: ...

    @overload
    def __get__(self, resource: AsyncResource, owner: type) -> Callable[P, AsyncIterator[T]]: ...

    def __get__(self, resource: Resource | None, owner: type) -> Any:
        if resource is None:
            return self
        build = MethodType(self._build, resource)
        if isinstance(resource, AsyncResource):
            return functools.wraps(build)(functools.partial(_later, resource.runner, build))
        assert isinstance(resource, SyncResource)
        return functools.wraps(build)(functools.partial(_now, resource.runner, build))


def _now(runner: SyncRunner, build: Callable[..., Flow[Page[T]]], *args: Any, **kwargs: Any) -> Iterator[T]:
    while True:
        page = runner.run(build(*args, **kwargs))
        yield from page.items
        if page.next_page_token is None:
            return
        kwargs["next_page_token"] = page.next_page_token


async def _later(
    runner: AsyncRunner, build: Callable[..., Flow[Page[T]]], *args: Any, **kwargs: Any
) -> AsyncIterator[T]:
    while True:
        page = await runner.run(build(*args, **kwargs))
        for item in page.items:
            yield item
        if page.next_page_token is None:
            return
        kwargs["next_page_token"] = page.next_page_token
