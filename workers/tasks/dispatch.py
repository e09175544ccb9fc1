"""Queue `dispatch`: runs find their runners."""

from functools import lru_cache
from typing import TYPE_CHECKING

from celery.signals import worker_init, worker_ready

from workers.celery_app import app, settings
from workers.process import current_process
from wtb_async.application.runs.dispatch_runs import dispatch_runs
from wtb_async.bootstrap.platform import pool_size
from wtb_async.domain.run import DEFAULT_POOL

if TYPE_CHECKING:
    from wtb_async.infrastructure.ray.runner_pool import RayRunnerPool


@app.task(name="wtb.dispatch.dispatch_runs", send_events=False)
def dispatch(pool: str) -> None:
    """Have enough runners for the backlog of a pool, and wake them."""
    process = current_process()
    process.run(
        dispatch_runs(
            pool,
            pool_size(settings),
            uow_factory=process.platform.database.unit_of_work,
            runners=_runners(),
        )
    )


@lru_cache(maxsize=1)
def _runners() -> "RayRunnerPool":
    # Beat and Flower import this module too, to know the tasks, and do without Ray.
    from workers.actors.run_actor import run_actor_class  # noqa: PLC0415
    from wtb_async.infrastructure.ray.runner_pool import RayRunnerPool  # noqa: PLC0415

    return RayRunnerPool(settings.ray_address, run_actor_class(), settings.to_transfer())


@worker_init.connect
def _import_ray_before_the_fork(**_: object) -> None:
    """Import once what every worker process needs."""
    _runners()


@worker_ready.connect
def _have_runners_at_once(**_: object) -> None:
    """The beat's first tick comes seconds later, and the first run should not wait for it."""
    app.send_task("wtb.dispatch.dispatch_runs", args=[DEFAULT_POOL], expires=60)
