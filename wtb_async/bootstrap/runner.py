"""A server's runner with all that it needs."""

import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

from wtb_async.application.ports import RunMonitor
from wtb_async.application.runs.runner import RunnerLoop
from wtb_async.bootstrap.engine import give_threads_to_nodes, open_engine, runner_options
from wtb_async.bootstrap.platform import ServerPlatform, live_events, open_platform
from wtb_async.infrastructure.celery.run_reporter import RunReporter
from wtb_async.infrastructure.postgres.database import INDEX_ONLY_PLANS
from wtb_async.settings import Settings


@asynccontextmanager
async def open_runner(
    settings: Settings,
    *,
    name: str,
    pool: str,
    on_revoke: Callable[[str], None],
    may_give_up_root: bool = False,
) -> AsyncIterator[tuple[ServerPlatform, Callable[[], RunnerLoop]]]:
    """Open all that a runner needs; answers a maker of loops, one for each life.

    `may_give_up_root` says that the process is the runner's alone.
    """
    give_threads_to_nodes(settings.runner.slots)
    async with AsyncExitStack() as stack:
        platform = await stack.enter_async_context(
            open_platform(settings, role=name, pool_size=4, server_settings=INDEX_ONLY_PLANS)
        )
        live = live_events(settings, platform.redis)
        engine, _ = await stack.enter_async_context(
            open_engine(platform, live, may_give_up_root=may_give_up_root)
        )
        stack.push_async_callback(live.close)
        monitor = _open_monitor(settings, name, on_revoke, stack)
        options = runner_options(settings, name=name, pool=pool)

        def new_life() -> RunnerLoop:
            return RunnerLoop(
                options,
                uow=platform.database.unit_of_work,
                engine=engine,
                monitor=monitor,
                nudges=platform.nudges,
            )

        yield platform, new_life


def _open_monitor(
    settings: Settings, name: str, on_revoke: Callable[[str], None], stack: AsyncExitStack
) -> RunMonitor:
    reporter = RunReporter(
        broker_url=settings.redis_url.get_secret_value(),
        hostname=f"{name}@{socket.gethostname()}",
        on_revoke=on_revoke,
    )
    reporter.start()
    stack.callback(reporter.stop)
    return reporter
