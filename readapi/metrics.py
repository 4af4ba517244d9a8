"""What this process counts of its requests, and what the database knows, as Prometheus metrics."""

from __future__ import annotations

import os
from collections import Counter as Counting
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from readapi.gauges import Gauges

METHODS = frozenset({"GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE"})
"""Any other is counted as "other": a label's values come from a fixed set, or anybody could make series without end."""
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


@dataclass(frozen=True)
class Route:
    """What was answered on one route."""

    name: str
    answers: int
    errors: int
    within: str


class RequestMetrics:
    """Requests by route, method and status, and their time. With several workers the server has them share a folder
    (PROMETHEUS_MULTIPROC_DIR), and any of them answers for all; without it the figures are this process's own."""

    def __init__(self, keys_age: Callable[[], float | None] = lambda: None) -> None:
        self.registry = CollectorRegistry()
        self._keys_age = keys_age
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
        """Counts one answered request. `route` is one of the application's own rules, never a caller's path."""
        counter, histogram = self._series(route, method if method in METHODS else "other", status)
        counter.inc()
        histogram.observe(seconds)

    @lru_cache(maxsize=1024)  # noqa: B019 (one object for the process's life; looking labels up costs as much as counting)
    def _series(self, route: str, method: str, status: int) -> tuple[Counter, Histogram]:
        return self._requests.labels(route, method, str(status)), self._seconds.labels(route)

    def by_route(self) -> list[Route]:
        """Each route's answers, those with a status from 500 on, and the time that 95 of 100 stay within."""
        answers: Counting[str] = Counting()
        errors: Counting[str] = Counting()
        buckets: dict[str, list[tuple[float, float]]] = {}
        for sample in (sample for metric in self._registry().collect() for sample in metric.samples):
            route = sample.labels.get("route", "")
            if sample.name == "me_status_http_requests_total":
                answers[route] += int(sample.value)
                errors[route] += int(sample.value) if sample.labels["status"] >= "500" else 0
            elif sample.name == "me_status_http_request_seconds_bucket":
                buckets.setdefault(route, []).append((float(sample.labels["le"]), sample.value))
        return [Route(name, number, errors[name], _within(buckets.get(name, ()))) for name, number in answers.items()]

    def _registry(self) -> CollectorRegistry:
        if not os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
            return self.registry
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return registry

    def text(self, gauges: Gauges, verdict: Iterable[Metric] = ()) -> bytes:
        """The Prometheus text of the requests, of what the database knows, and of the verdict on it."""
        registry = self._registry()
        state = CollectorRegistry()
        state.register(_Gauges(gauges, self._keys_age(), verdict))
        return generate_latest(registry) + generate_latest(state)


def _within(buckets: Iterable[tuple[float, float]], share: float = 0.95) -> str:
    """The first limit of the histogram that so many stayed within."""
    ordered = sorted(buckets)
    for limit, number in ordered:
        if ordered[-1][1] and number >= share * ordered[-1][1]:
            return "longer" if limit == float("inf") else f"{limit * 1000:g} ms"
    return ""


class _Gauges(Collector):
    def __init__(self, gauges: Gauges, keys_age: float | None, verdict: Iterable[Metric]) -> None:
        self._gauges = gauges
        self._verdict = list(verdict)
        self._keys_age = keys_age

    def collect(self) -> Iterator:  # type: ignore[type-arg]
        if self._keys_age is not None:
            words = "Time since the token issuer's keys were fetched, of the process that answers."
            yield GaugeMetricFamily("me_status_token_keys_age_seconds", words, self._keys_age)
        yield from self._gauges.metrics()
        yield from self._verdict
