"""The two ways to run a flow: blocking, and with asyncio."""

from __future__ import annotations

import asyncio
import time
from typing import TypeVar

import httpx

from meet.client.flow import Close, Effect, Flow, Save, Send, Wait

T = TypeVar("T")


class SyncRunner:
    """Does what a flow asks for on an `httpx.Client`."""

    def __init__(self, http: httpx.Client) -> None:
        self.http = http

    def run(self, flow: Flow[T]) -> T:
        """The flow's result."""
        try:
            effect = next(flow)
            while True:
                try:
                    result = self._perform(effect)
                except httpx.HTTPError as error:
                    effect = flow.throw(error)
                else:
                    effect = flow.send(result)
        except StopIteration as end:
            answer: T = end.value
            return answer
        finally:
            flow.close()

    def _perform(self, effect: Effect) -> httpx.Response | None:
        match effect:
            case Send(request, stream):
                response = self.http.send(request, stream=stream)
                if stream and not response.is_success:
                    response.read()
                return response
            case Save(response, write, wrote):
                try:
                    for chunk in response.iter_raw():
                        write(chunk)
                        wrote()
                finally:
                    response.close()
            case Close(response):
                response.close()
            case Wait(seconds):
                time.sleep(seconds)
        return None


class AsyncRunner:
    """Does what a flow asks for on an `httpx.AsyncClient`; files are written in threads."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http

    async def run(self, flow: Flow[T]) -> T:
        """The flow's result."""
        try:
            effect = next(flow)
            while True:
                try:
                    result = await self._perform(effect)
                except httpx.HTTPError as error:
                    effect = flow.throw(error)
                else:
                    effect = flow.send(result)
        except StopIteration as end:
            answer: T = end.value
            return answer
        finally:
            flow.close()

    async def _perform(self, effect: Effect) -> httpx.Response | None:
        match effect:
            case Send(request, stream):
                response = await self.http.send(request, stream=stream)
                if stream and not response.is_success:
                    await response.aread()
                return response
            case Save(response, write, wrote):
                try:
                    async for chunk in response.aiter_raw():
                        await asyncio.to_thread(write, chunk)
                        wrote()
                finally:
                    await response.aclose()
            case Close(response):
                await response.aclose()
            case Wait(seconds):
                await asyncio.sleep(seconds)
        return None
