"""The system's figures in Prometheus' text format."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from time import monotonic

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from wtb_async.infrastructure.postgres.queries.metrics import SystemFigures

CONTENT_TYPE = CONTENT_TYPE_LATEST


class MetricsPage:
    """Answers scrapes; figures are read once in a while, however many scrape."""

    def __init__(self, read: Callable[[], Awaitable[SystemFigures]], keep_seconds: float) -> None:
        self._read = read
        self._keep_seconds = keep_seconds
        self._lock = asyncio.Lock()
        self._text = b""
        self._stale_at = float("-inf")

    async def text(self) -> bytes:
        """The page. Raises TransientError when the database is away."""
        async with self._lock:
            if monotonic() >= self._stale_at:
                self._text = in_text(await self._read())
                self._stale_at = monotonic() + self._keep_seconds
            return self._text


def in_text(figures: SystemFigures) -> bytes:
    """The figures as a page."""
    registry = CollectorRegistry()
    registry.register(_Figures(figures))
    return generate_latest(registry)


class _Figures(Collector):
    """Figures of one moment, as a registry collects them."""

    def __init__(self, figures: SystemFigures) -> None:
        self._figures = figures

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """One family for each thing that is measured."""
        figures = self._figures
        yield _one("wtb_outbox_open_events", "Events that wait to be relayed", figures.outbox_open)
        yield _one(
            "wtb_outbox_oldest_event_age_seconds",
            "How long the oldest of them has waited",
            figures.outbox_age_seconds,
        )
        yield _one(
            "wtb_outbox_dead_letters",
            "Events whose delivery was given up",
            figures.dead_letters,
        )
        yield _by("wtb_open_runs", "Runs that have not ended", "status", figures.open_runs)
        yield _one("wtb_living_runners", "Runners whose lease stands", figures.runners)
        yield _one(
            "wtb_failed_verifications",
            "Promises of events that were not kept",
            figures.failed_verifications,
        )
        yield from _of_newest_report(figures)


def _of_newest_report(figures: SystemFigures) -> Iterable[GaugeMetricFamily]:
    if figures.checked_at is None:
        return
    yield _one(
        "wtb_integrity_last_check_timestamp_seconds",
        "When the newest integrity report was complete",
        figures.checked_at.timestamp(),
    )
    findings = GaugeMetricFamily(
        "wtb_integrity_findings",
        "Findings of the newest integrity report that were not mended",
        labels=("check", "severity"),
    )
    for each in figures.checks:
        findings.add_metric((each.check, each.severity), each.findings)
    yield findings


def _one(name: str, description: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, description, value=value)


def _by(name: str, description: str, label: str, values: Mapping[str, float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, description, labels=(label,))
    for each, value in values.items():
        family.add_metric((each,), value)
    return family
