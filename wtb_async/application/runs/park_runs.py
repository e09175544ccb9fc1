"""Puts runs aside whose graphs cannot be loaded at the moment."""

from collections.abc import Callable

from wtb_async.application.ports import UnitOfWorkFactory
from wtb_async.application.runs.repositories import RunChoice
from wtb_async.domain.run import DEFAULT_POOL
from wtb_async.domain.workflow import Workflow

PARKED = "parked"
"""The pool of runs that nobody claims."""

CanLoad = Callable[[Workflow, RunChoice], bool]


async def park_runs(uow_factory: UnitOfWorkFactory, can_load: CanLoad) -> set[str]:
    """Put open runs aside whose graphs cannot be loaded, and bring those back that can again.

    A process that was killed may leave runs of functions that only it had. Its successor must not
    fail them before somebody has given it these functions.

    Returns:
        The names of the workflows that have runs put aside.
    """
    parked: list[tuple[Workflow, RunChoice]] = []
    async with uow_factory() as uow:
        for choice in await uow.runs.open_choices():
            workflow = await uow.workflows.get(choice.workflow_id)
            if can_load(workflow, choice):
                await uow.runs.assign_pool(choice, DEFAULT_POOL)
            else:
                parked.append((workflow, choice))
        # A run that executions share waits for the code of all of them.
        for _, choice in parked:
            await uow.runs.assign_pool(choice, PARKED)
        await uow.commit()
    return {workflow.name for workflow, _ in parked}
