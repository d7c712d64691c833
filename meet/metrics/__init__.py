"""Prometheus metrics on a port of their own (`MEET_METRICS_PORT`), for operators, never for the public.

`backend` counts what the backend answers; `listener` serves `GET /metrics` (openapi/admin): the backend's own, and
those of the media process, which it reads on a Unix socket in the data directory.
"""

from meet.metrics.backend import BackendMetrics
from meet.metrics.listener import MetricsListener

__all__ = ["BackendMetrics", "MetricsListener"]
