"""The run that goes on with an execution."""

from uuid import UUID

from wtb_async.application.batches.release_runs import release_runs
from wtb_async.application.clock import utc_now
from wtb_async.application.executions.repositories import Fork
from wtb_async.application.ids import new_id
from wtb_async.application.ports import Nudges, UnitOfWork, UnitOfWorkFactory
from wtb_async.domain.command import Command
from wtb_async.domain.errors import InvalidInput, InvalidTransition
from wtb_async.domain.execution import Execution
from wtb_async.domain.json import JsonObject
from wtb_async.domain.run import ForkReason, Run, RunStatus, Thread
from wtb_async.domain.run_request import StateEdit


async def next_run(
    execution: Execution, last: Run, uow: UnitOfWork, *, edit: StateEdit | None = None
) -> Run:
    """A run for an execution whose last run has ended, on the execution's thread.

    In a batch test that limits how many of its runs are executed it waits for `announce_run`.
    Steps that were begun before keep their identity unless the execution was rolled back since. A
    runner that was lost may still be writing to the thread, so a fork of it goes on then.
    """
    thread_id, from_checkpoint_id = execution.thread_id, execution.checkpoint_id
    moved = thread_id != last.thread_id
    if last.status is RunStatus.LOST and not moved:
        thread_id, from_checkpoint_id = await _fork_of_lost(execution, uow), None
    run = Run(
        id=new_id(),
        thread_id=thread_id,
        workflow_id=last.workflow_id,
        created_at=utc_now(),
        pool=last.pool,
        status=last.status_of_next,
        variants=execution.variants,
        workflow_variant=last.workflow_variant,
        limits=last.limits,
        timeline_id=thread_id if moved else last.timeline_id,
        from_checkpoint_id=from_checkpoint_id,
        edit=edit.to_json() if edit else None,
        limited_by=last.limited_by,
    )
    await uow.runs.add(run)
    return run


async def announce_run(run: Run, *, uow_factory: UnitOfWorkFactory, nudges: Nudges) -> None:
    """Let the runners know of a run that was committed, once its batch test has a place for it."""
    if run.limited_by is None:
        nudges.new_runs(run.pool)
    else:
        await release_runs([run.limited_by], uow_factory=uow_factory, nudges=nudges)


async def edit_of(
    command: Command,
    execution: Execution,
    values: JsonObject | None,
    as_node: str | None,
    uow: UnitOfWork,
    *,
    pauses: bool = False,
) -> StateEdit | None:
    """The edit that a command asks for, checked as far as the graph's description goes.

    Raises:
        InvalidInput: no such key of the state, or no such node.
        InvalidTransition: the execution has no checkpoint to edit yet.
    """
    if values is None:
        if as_node is not None:
            raise InvalidInput.of("as_node", "give the state that counts as this node's output")
        return None
    if execution.checkpoint_id is None:
        raise InvalidTransition("the execution has no checkpoint yet, so there is no state to edit")
    workflow = await uow.workflows.get(execution.workflow_id)
    variant = execution.workflow_variant
    workflow.check_state_keys(values, field="state", workflow_variant=variant)
    if as_node is not None:
        workflow.check_nodes({"as_node": as_node}, workflow_variant=variant)
    return StateEdit(id=command.id, values=values, as_node=as_node, pauses=pauses)


async def _fork_of_lost(execution: Execution, uow: UnitOfWork) -> UUID:
    thread = Thread(
        id=new_id(),
        created_at=utc_now(),
        reason=ForkReason.TAKEOVER,
        parent_id=execution.thread_id,
    )
    await uow.threads.fork([Fork(thread=thread)])
    return thread.id
