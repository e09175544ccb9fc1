"""Queue `dispatch`: runs find their runners."""

from functools import lru_cache

from workers.actors.run_actor import run_actor_class
from workers.celery_app import app, settings
from workers.process import current_process
from wtb_async.application.runs.dispatch_runs import dispatch_runs
from wtb_async.bootstrap import pool_size
from wtb_async.infrastructure.ray.runner_pool import RayRunnerPool


@app.task(name="wtb.dispatch.dispatch_runs")
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
def _runners() -> RayRunnerPool:
    return RayRunnerPool(settings.ray_address, run_actor_class(), settings.to_transfer())
