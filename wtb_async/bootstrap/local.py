"""The whole system in one process, on the running event loop: no broker, no Redis, no Ray."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from wtb_async.application.batches.score_batch import score_batch
from wtb_async.application.files.collect_garbage import GarbageCollection
from wtb_async.application.maintenance.perform_check import perform_check, unfinished_reports
from wtb_async.application.maintenance.verify_events import verify_events
from wtb_async.application.outbox.relay_outbox import relay_outbox
from wtb_async.application.ports import Announcements, GraphEngine
from wtb_async.application.runs.park_runs import park_runs
from wtb_async.application.runs.reap_lost_runners import reap_lost_runners
from wtb_async.application.runs.runner import RunnerLoop
from wtb_async.bootstrap.engine import open_engine, runner_options
from wtb_async.bootstrap.files import ProcessFiles
from wtb_async.bootstrap.integrity import integrity_checks
from wtb_async.bootstrap.platform import Platform, call_options, relay_options
from wtb_async.bootstrap.projects import sync_projects
from wtb_async.bootstrap.sweeping import sweep_forever
from wtb_async.domain.errors import Conflict
from wtb_async.domain.run import DEFAULT_POOL
from wtb_async.infrastructure.evaluation.engine import ProjectEvaluationEngine
from wtb_async.infrastructure.in_process.background import Background
from wtb_async.infrastructure.in_process.code import InProcessObjects, InProcessSources
from wtb_async.infrastructure.in_process.delivery import InProcessDelivery
from wtb_async.infrastructure.in_process.inspector import InProcessInspector
from wtb_async.infrastructure.in_process.live_events import InMemoryLiveEvents
from wtb_async.infrastructure.in_process.monitor import SilentMonitor
from wtb_async.infrastructure.in_process.nudges import InProcessNudges
from wtb_async.infrastructure.in_process.parking import Parking
from wtb_async.infrastructure.in_process.work import (
    InProcessQueue,
    InProcessRunner,
    collect_garbage_forever,
    look_after_promises,
    look_for_unfinished_batches,
    relay_forever,
)
from wtb_async.infrastructure.langgraph.projects import Project
from wtb_async.infrastructure.postgres.database import open_database
from wtb_async.settings import CoreSettings, asyncpg_url

RUNNER = "local"
"""The name of the one runner: whatever an earlier process under it left is taken over."""

COLLECT_AFTER_SECONDS = 600.0
"""So often garbage is collected; benches are often open for moments only, without garbage."""


@dataclass(frozen=True, slots=True)
class LocalParts:
    """What the application stands on in this process."""

    platform: Platform
    live_events: InMemoryLiveEvents


@asynccontextmanager
async def open_local(
    settings: CoreSettings,
    projects: Sequence[Project],
    objects: InProcessObjects,
    *,
    announcements: Announcements,
) -> AsyncIterator[LocalParts]:
    """Execute runs, relay events and score on the running loop until the end of the block.

    Runs that are executed then may end; those that do not within the runner's grace period, and
    what is pending, are there for the next process on the same database.

    Args:
        settings: the database is migrated, and nobody else executes runs of it.
        projects: whose graphs are registered at once.
        objects: what has no importable name.
        announcements: told what readers of streams wait for.

    Raises:
        Conflict: runners of a server work on the database.
    """
    sources = InProcessSources(projects, objects)
    database = open_database(
        asyncpg_url(settings.database_url.get_secret_value()),
        pool_size=settings.api.database_pool_size,
        application_name="wtb-local",
    )
    nudges = InProcessNudges()
    nudges.on_scores = announcements.progress_of
    platform = Platform(
        settings,
        sources,
        database,
        nudges,
        InProcessInspector(sources),
        ProjectEvaluationEngine(sources, call_options(settings)),
        ProcessFiles(settings.files, database),
    )
    live = InMemoryLiveEvents(
        max_value_bytes=settings.live.value_bytes,
        kept_events=settings.live.kept_events,
        announce=announcements.news_of,
    )
    try:
        await _take_over_the_database(platform)
        async with _working(platform, live, nudges, objects, announcements):
            await sync_projects(projects, platform)
            yield LocalParts(platform, live)
    finally:
        platform.files.close()
        await database.close()


async def _take_over_the_database(platform: Platform) -> None:
    """Declare everybody lost who has fallen silent; raise `Conflict` while a runner has not."""
    lease_seconds = platform.settings.runner.lease_seconds
    await reap_lost_runners(platform.database.unit_of_work, lease_seconds=lease_seconds)
    async with platform.database.unit_of_work() as uow:
        living = await uow.runners.living(lease_seconds)
    if others := sorted(set(living) - {RUNNER}):
        raise Conflict(
            f"runners of a server work on this database ({', '.join(others)}); use it through "
            "WTBTestBench.connect(), or give the local bench a data_dir of its own"
        )


@asynccontextmanager
async def _working(
    platform: Platform,
    live: InMemoryLiveEvents,
    nudges: InProcessNudges,
    objects: InProcessObjects,
    announcements: Announcements,
) -> AsyncIterator[None]:
    settings, uow_factory = platform.settings, platform.database.unit_of_work
    async with open_engine(platform, live) as (engine, graphs), Background() as background:
        runner, scoring = _runner(platform, engine), _scoring(platform)
        checking = InProcessQueue(partial(_check, platform))
        nudges.on_runs, nudges.on_requests = runner.wake, runner.heed
        delivery = InProcessDelivery(
            wake_runner=runner.wake,
            ask_runner=runner.heed,
            score=scoring.want,
            check=checking.want,
            announcements=announcements,
        )
        relay = partial(relay_outbox, uow_factory, delivery, relay_options(settings))
        parking = Parking(platform.projects, partial(park_runs, uow_factory), runner.wake)

        def forget_what_was_loaded() -> None:
            graphs.forget()
            platform.evaluation.forget()
            parking.look_again()

        objects.on_change = forget_what_was_loaded
        await parking.look()
        for work in (
            parking.run(),
            sweep_forever(platform),
            runner.run(),
            scoring.run(),
            checking.run(),
            look_after_promises(
                partial(
                    verify_events,
                    uow_factory=uow_factory,
                    chunk_size=settings.integrity.verify_chunk_size,
                ),
                partial(unfinished_reports, uow_factory),
                checking.want,
                seconds=settings.integrity.verify_every_seconds,
            ),
            relay_forever(relay, nudges.wait_for_events, seconds=settings.relay.claim_seconds),
            look_for_unfinished_batches(
                uow_factory, scoring.want, nudges, seconds=settings.evaluation.claim_seconds
            ),
            collect_garbage_forever(_garbage(platform), seconds=COLLECT_AFTER_SECONDS),
        ):
            background.start(work)
        yield
        await runner.drain(settings.runner.stop_grace_seconds)


def _runner(platform: Platform, engine: GraphEngine) -> InProcessRunner:
    options = runner_options(platform.settings, name=RUNNER, pool=DEFAULT_POOL)
    return InProcessRunner(
        lambda: RunnerLoop(
            options,
            uow=platform.database.unit_of_work,
            engine=engine,
            monitor=SilentMonitor(),
            nudges=platform.nudges,
        )
    )


def _scoring(platform: Platform) -> InProcessQueue:
    evaluation = platform.settings.evaluation
    return InProcessQueue(
        partial(
            score_batch,
            uow_factory=platform.database.unit_of_work,
            engine=platform.evaluation,
            nudges=platform.nudges,
            chunk_size=evaluation.chunk_size,
            claim_seconds=evaluation.claim_seconds,
        )
    )


async def _check(platform: Platform, report_id: UUID) -> None:
    """Make a report to its end; others may work between its slices."""
    has_ended = False
    while not has_ended:
        has_ended = await perform_check(
            report_id,
            uow_factory=platform.database.unit_of_work,
            checks=integrity_checks(platform),
            work_seconds=platform.settings.integrity.work_seconds,
        )


def _garbage(platform: Platform) -> GarbageCollection:
    grace = platform.settings.files.garbage_grace_seconds
    return GarbageCollection(platform.database.unit_of_work, platform.files.blobs, grace)
