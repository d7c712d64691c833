"""What the backend process counts: HTTP answers, their time, and how late its event loop is."""

from __future__ import annotations

import asyncio
import time
from typing import Any, Final

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest

_PREFIX: Final = "meet_backend"
_LAG_STEP_S: Final = 0.25


class BackendMetrics:
    """An ASGI application around another one. One instance and one registry per backend."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self.registry = CollectorRegistry()
        self._requests = Counter(f"{_PREFIX}_requests", "HTTP answers", ["method", "status"], registry=self.registry)
        self._seconds = Histogram(
            f"{_PREFIX}_request_seconds",
            "From a request to the end of its answer",
            ["method"],
            buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0),
            registry=self.registry,
        )
        self._lag = Histogram(
            f"{_PREFIX}_loop_lag_seconds",
            "How late a timer of the event loop was",
            buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0),
            registry=self.registry,
        )
        ProcessCollector(namespace=_PREFIX, registry=self.registry)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # Not the path: its ids would make a series each. Methods of a client's own making are one series.
        method = scope["method"] if scope["method"] in _METHODS else "other"
        status = "none"

        async def counted(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = str(message["status"])
            await send(message)

        started = time.perf_counter()
        try:
            await self._app(scope, receive, counted)
        finally:
            self._seconds.labels(method).observe(time.perf_counter() - started)
            self._requests.labels(method, status).inc()

    def text(self) -> bytes:
        """Everything in the text format."""
        return generate_latest(self.registry)

    async def watch_loop(self) -> None:
        """Measure until cancelled."""
        while True:
            due = time.perf_counter() + _LAG_STEP_S
            await asyncio.sleep(_LAG_STEP_S)
            self._lag.observe(max(0.0, time.perf_counter() - due))


_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
