"""Prometheus reads how the system is; nobody else without a key does."""

import httpx2
from api_fixtures import ServedApi
from checking import check
from controlling import Stations
from prometheus_client.parser import text_string_to_metric_families
from served_api import Caller

from wtb_async.domain.execution import ExecutionStatus
from wtb_async.infrastructure.postgres.queries.metrics import MetricQueries, SystemFigures
from wtb_async.infrastructure.telemetry.metrics import MetricsPage, in_text

Labels = frozenset[tuple[str, str]]


def samples_in(page: str) -> dict[tuple[str, Labels], float]:
    """Every sample by its name and labels, read as Prometheus reads it."""
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
    }


async def test_a_scrape_with_a_key_is_answered_in_the_format_of_prometheus(caller: Caller) -> None:
    answer = await caller.http.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert ("wtb_living_runners", frozenset()) in samples_in(answer.text)


async def test_a_scrape_without_a_key_is_refused(api: ServedApi) -> None:
    async with httpx2.AsyncClient(base_url=api.url) as stranger:
        assert (await stranger.get("/metrics")).status_code == 401


async def test_the_page_tells_of_load_and_of_the_newest_report(
    stations: Stations, stations_runner: object
) -> None:
    del stations_runner
    execution_id = await stations.start(b="hold")
    await stations.until_visited("b")
    report = await check(stations.platform)
    figures = await MetricQueries(stations.platform.database.engine).figures(30.0)
    samples = samples_in(in_text(figures).decode())
    stations.release("b")
    await stations.when(execution_id, ExecutionStatus.COMPLETED)
    assert samples["wtb_open_runs", frozenset({("status", "running")})] == 1
    assert samples["wtb_living_runners", frozenset()] == 1
    assert samples["wtb_outbox_open_events", frozenset()] >= 3
    labels = frozenset({("check", "stuck_events"), ("severity", "warning")})
    assert samples["wtb_integrity_findings", labels] == report.counts["warning"] > 0
    assert report.finished_at is not None
    seconds = samples["wtb_integrity_last_check_timestamp_seconds", frozenset()]
    assert abs(seconds - report.finished_at.timestamp()) < 0.001


async def test_figures_are_read_once_however_many_scrape(stations: Stations) -> None:
    queries = MetricQueries(stations.platform.database.engine)
    reads = []

    async def read() -> SystemFigures:
        reads.append(1)
        return await queries.figures(30.0)

    page = MetricsPage(read, keep_seconds=3600.0)
    assert await page.text() == await page.text()
    assert len(reads) == 1
