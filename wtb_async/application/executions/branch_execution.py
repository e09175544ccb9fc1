"""Begins a new execution at a checkpoint of another."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from wtb_async.application.clock import utc_now
from wtb_async.application.commands import new_command
from wtb_async.application.executions.places import Place, find_checkpoint
from wtb_async.application.executions.recording import record_command
from wtb_async.application.executions.repositories import Fork, Timelines
from wtb_async.application.executions.roll_back_execution import fork_at
from wtb_async.application.executions.successor import edit_of
from wtb_async.application.executions.views import CheckpointView
from wtb_async.application.ids import new_id
from wtb_async.application.ports import Nudges, UnitOfWork, UnitOfWorkFactory
from wtb_async.domain.command import CommandKind
from wtb_async.domain.events import ExecutionBranched
from wtb_async.domain.execution import Execution, ExecutionStatus, PauseReason
from wtb_async.domain.json import JsonObject
from wtb_async.domain.run import ForkReason, Run, RunStatus
from wtb_async.domain.run_request import StateEdit


@dataclass(frozen=True, slots=True, kw_only=True)
class BranchExecution:
    """A request to try something else from a moment of an execution, which stays as it is.

    `variants` are chosen on top of the execution's own. Unless it `starts`, the new execution is
    paused where it begins.
    """

    execution_id: UUID
    caller: str
    checkpoint_id: UUID
    state: JsonObject | None = None
    variants: Mapping[str, str]
    starts: bool = True


async def branch_execution(
    request: BranchExecution,
    *,
    uow_factory: UnitOfWorkFactory,
    timelines: Timelines,
    nudges: Nudges,
) -> UUID:
    """Fork the execution's thread for a new execution; answers its id.

    Raises:
        NotFound: no such execution.
        InvalidInput: no such root checkpoint, variant or key of the state.
    """
    async with uow_factory() as uow:
        parent, last = await uow.executions.get(request.execution_id)
        workflow = await uow.workflows.get(parent.workflow_id)
    workflow.check_choice(request.variants, workflow_variant=parent.workflow_variant)
    # Looked for outside a transaction: see roll_back_execution.
    place = Place(checkpoint_id=request.checkpoint_id)
    target = await find_checkpoint(parent, place, timelines)
    async with uow_factory() as uow:
        thread = fork_at(target, ForkReason.BRANCH)
        await uow.threads.fork([Fork(thread=thread, keeps_writes=False)])
        branch = _branch(request, parent, target, thread.id)
        payload = {
            "execution_id": str(parent.id),
            "checkpoint_id": str(request.checkpoint_id),
            "state": request.state,
            "variants": dict(request.variants),
            "start": request.starts,
        }
        command = new_command(CommandKind.BRANCH, branch.id, request.caller, payload)
        edit = await edit_of(command, branch, request.state, None, uow, pauses=not request.starts)
        run = await _first_run(branch, last, uow, edit, starts=request.starts)
        uow.executions.add_one(branch)
        event = ExecutionBranched(
            pool=run.pool,
            thread_id=thread.id,
            parent_execution_id=parent.id,
            checkpoint_id=target.checkpoint_id,
        )
        record_command(uow, command, branch, event, None)
        await uow.commit()
    nudges.new_runs(run.pool)
    nudges.new_events()
    return branch.id


def _branch(
    request: BranchExecution, parent: Execution, target: CheckpointView, thread_id: UUID
) -> Execution:
    waits = not request.starts and request.state is None
    return Execution(
        id=new_id(),
        workflow_id=parent.workflow_id,
        run_id=new_id(),
        thread_id=thread_id,
        input=parent.input,
        created_by=request.caller,
        created_at=utc_now(),
        status=ExecutionStatus.PAUSED if waits else ExecutionStatus.PENDING,
        pause_reason=PauseReason.COMMAND if waits else None,
        variants={**parent.variants, **request.variants},
        workflow_variant=parent.workflow_variant,
        breakpoints=parent.breakpoints,
        stream=parent.stream,
        checkpoint_id=target.checkpoint_id,
        next_nodes=target.next_nodes,
        parent_execution_id=parent.id,
        annotations=parent.annotations,
    )


async def _first_run(
    branch: Execution,
    last: Run,
    uow: UnitOfWork,
    edit: StateEdit | None,
    *,
    starts: bool,
) -> Run:
    """The branch's run; one that has nothing to do yet has ended already."""
    run = Run(
        id=branch.run_id,
        thread_id=branch.thread_id,
        workflow_id=branch.workflow_id,
        created_at=branch.created_at,
        pool=last.pool,
        status=RunStatus.PENDING if starts or edit else RunStatus.PAUSED,
        variants=branch.variants,
        workflow_variant=branch.workflow_variant,
        limits=last.limits,
        timeline_id=branch.thread_id,
        from_checkpoint_id=branch.checkpoint_id,
        edit=edit.to_json() if edit else None,
    )
    await uow.runs.add(run)
    return run
