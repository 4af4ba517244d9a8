"""What this process counts of its requests, and what the database knows, as Prometheus metrics."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import lru_cache

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from readapi.gauges import Gauges

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class RequestMetrics:
    """Requests by route, method and status, and their time. With several workers the server has them share a folder
    (PROMETHEUS_MULTIPROC_DIR), and any of them answers for all; without it the figures are this process's own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "me_status_http_requests", "Requests answered.", ("route", "method", "status"), registry=self.registry
        )
        self._seconds = Histogram(
            "me_status_http_request_seconds",
            "Time from the request's arrival in the application to its answer.",
            ("route",),
            buckets=BUCKETS,
            registry=self.registry,
        )

    def count(self, route: str, method: str, status: int, seconds: float) -> None:
        """Counts one answered request."""
        counter, histogram = self._series(route, method, status)
        counter.inc()
        histogram.observe(seconds)

    @lru_cache(maxsize=1024)  # noqa: B019 (one object for the process's life; looking labels up costs as much as counting)
    def _series(self, route: str, method: str, status: int) -> tuple[Counter, Histogram]:
        return self._requests.labels(route, method, str(status)), self._seconds.labels(route)

    def text(self, gauges: Gauges) -> bytes:
        """The Prometheus text of the requests and of what the database knows."""
        registry = self.registry
        if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        state = CollectorRegistry()
        state.register(_Gauges(gauges))
        return generate_latest(registry) + generate_latest(state)


class _Gauges(Collector):
    def __init__(self, gauges: Gauges) -> None:
        self._gauges = gauges

    def collect(self) -> Iterator:  # type: ignore[type-arg]
        yield from self._gauges.metrics()
