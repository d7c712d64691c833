"""One scrape for all workers: the samples of each with the label `worker`, under the names they have alone."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from typing import Final

import aiohttp
import structlog
from aiohttp import web
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from meet.media.front.places import Places

log = structlog.get_logger(__name__)

_TIMEOUT_S: Final = 1.5
"""Below what the backend waits for all of them (meet/metrics)."""


class WorkersMetrics:
    """`GET /metrics` of the front. own: what the front itself has to tell, under names that no worker has."""

    def __init__(self, places: Places, workers: int, own: Callable[[], Awaitable[bytes]]) -> None:
        self._places = places
        self._workers = range(workers)
        self._own = own

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/metrics", self._metrics)]

    async def _metrics(self, _request: web.Request) -> web.Response:
        scrapes = asyncio.gather(*(self._scrape(index) for index in self._workers))
        texts, own = await asyncio.gather(scrapes, self._own())
        body = merged({str(index): text for index, text in zip(self._workers, texts, strict=True)})
        return web.Response(body=body + own, headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def _scrape(self, index: int) -> str | None:
        connector = aiohttp.UnixConnector(str(self._places.metrics(index)))
        timeout = aiohttp.ClientTimeout(total=_TIMEOUT_S)
        try:
            async with (
                aiohttp.ClientSession(connector=connector, timeout=timeout) as session,
                session.get("http://media/metrics") as response,
            ):
                response.raise_for_status()
                return await response.text()
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            log.warning("worker_metrics_missing", worker=index, error=type(error).__name__)
            return None


def merged(texts: Mapping[str, str | None]) -> bytes:
    """The text format again. texts: by worker; None for one that does not answer."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Merged(texts))
    return generate_latest(registry)


class _Merged(Collector):
    def __init__(self, texts: Mapping[str, str | None]) -> None:
        self._texts = texts

    def collect(self) -> Iterable[Metric]:
        families: dict[str, Metric] = {}
        up = GaugeMetricFamily("meet_media_worker_up", "Whether this media process answers", labels=["worker"])
        for worker, text in self._texts.items():
            up.add_metric([worker], 0.0 if text is None else 1.0)
            for family in text_string_to_metric_families(text or ""):
                mine = families.setdefault(family.name, Metric(family.name, family.documentation, family.type))
                for sample in family.samples:
                    mine.add_sample(sample.name, {**sample.labels, "worker": worker}, sample.value)
        yield from _then(families.values(), up)


def _then(families: Iterable[Metric], last: Metric) -> Iterator[Metric]:
    yield from families
    yield last
