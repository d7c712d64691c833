"""Prometheus metrics of the media process; `MEET_METRICS_PORT` in docs/configuration.md says where they are read."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import Final

from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from meet.media.room import RoomRegistry, TrackKind
from meet.media.transport.udpmux import UdpMux

_PREFIX: Final = "meet_media"
_TRAFFIC: Final = {
    "packets": "RTP packets",
    "bytes": "RTP bytes, headers included",
    "nacks": "packets asked for again; in: by subscribers, out: by us from publishers",
    "plis": "key frames asked for; in: by subscribers, out: by us from publishers",
}


class MediaMetrics:
    """What is counted as it happens. One instance and one registry per media server."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.loop_lag = Histogram(
            f"{_PREFIX}_loop_lag_seconds",
            "How late the 25 ms timer of the event loop was",
            buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0),
            registry=self.registry,
        )
        self.join_latency = Histogram(
            f"{_PREFIX}_join_seconds",
            "From the signalling connection until media can flow",
            buckets=(0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0),
            registry=self.registry,
        )
        self.refused = Counter(
            f"{_PREFIX}_joins_refused", "Clients refused before joining", ["reason"], registry=self.registry
        )
        self.left = Counter(
            f"{_PREFIX}_participants_left", "Participants that left", ["reason"], registry=self.registry
        )
        self.transport_failures = Counter(
            f"{_PREFIX}_transport_failures",
            "Media paths that did not come up or broke, and data channels ended for what came over them",
            ["reason"],
            registry=self.registry,
        )
        self.connections_ended = Counter(
            f"{_PREFIX}_connections_ended", "Connections ended by us (no_request)", ["reason"], registry=self.registry
        )
        ProcessCollector(namespace=_PREFIX, registry=self.registry)

    def watch(self, registry: RoomRegistry, mux: UdpMux) -> None:
        """Add what is read off the running server at every scrape."""
        self.registry.register(_Live(registry, mux))

    def routes(self, more: Callable[[], Awaitable[bytes]]) -> list[web.RouteDef]:
        """`GET /metrics` in the text format. more: what others have to tell, under other names."""

        async def metrics(_request: web.Request) -> web.Response:
            text = generate_latest(self.registry) + await more()
            return web.Response(body=text, headers={"Content-Type": CONTENT_TYPE_LATEST})

        return [web.get("/metrics", metrics)]


class _Live(Collector):
    def __init__(self, registry: RoomRegistry, mux: UdpMux) -> None:
        self._rooms = registry
        self._mux = mux

    def collect(self) -> Iterator[Metric]:
        yield from self._members()
        total = self._mux.traffic().as_dict()
        for name, help_text in _TRAFFIC.items():
            family = CounterMetricFamily(f"{_PREFIX}_{name}", help_text, labels=["direction"])
            for direction in ("in", "out"):
                family.add_metric([direction], total[f"{name}_{direction}"])
            yield family
        yield CounterMetricFamily(
            f"{_PREFIX}_retransmitted_packets", "Packets sent again to subscribers", value=total["retransmitted"]
        )
        yield GaugeMetricFamily(f"{_PREFIX}_tcp_connections", "Media over TCP", value=self._mux.tcp_connections)
        yield CounterMetricFamily(
            f"{_PREFIX}_tcp_refused", "Media connections over TCP refused or ended early", value=self._mux.tcp_refused
        )
        yield CounterMetricFamily(
            f"{_PREFIX}_stun_rejected", "Connectivity checks without valid credentials", value=self._mux.rejected
        )
        yield CounterMetricFamily(
            f"{_PREFIX}_packet_failures", "Packets whose handling failed", value=self._mux.failures
        )
        yield CounterMetricFamily(
            f"{_PREFIX}_datagrams_unsent",
            "Datagrams given up, mostly for a full socket",
            value=self._mux.dropped,
        )

    def _members(self) -> Iterator[Metric]:
        rooms = self._rooms.list()
        members = [p for room in rooms for p in room.participants.values()]
        yield GaugeMetricFamily(f"{_PREFIX}_rooms", "Rooms", value=len(rooms))
        people = GaugeMetricFamily(f"{_PREFIX}_participants", "Participants", labels=["hidden"])
        for hidden in (False, True):
            people.add_metric([str(hidden).lower()], sum(1 for p in members if p.hidden is hidden))
        yield people
        tracks = GaugeMetricFamily(f"{_PREFIX}_tracks", "Published tracks", labels=["kind"])
        for kind in TrackKind:
            tracks.add_metric([kind.media], sum(1 for p in members for t in p.live_tracks if t.kind is kind))
        yield tracks
