"""Changes the state of a paused execution."""

from dataclasses import dataclass
from uuid import UUID

from wtb_async.application.commands import new_command
from wtb_async.application.executions.recording import record_command
from wtb_async.application.executions.successor import announce_run, edit_of, next_run
from wtb_async.application.ports import Nudges, UnitOfWorkFactory
from wtb_async.domain.command import CommandKind, check_accepts
from wtb_async.domain.json import JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class EditState:
    """New values for the state of a paused execution, as if a node had returned them."""

    execution_id: UUID
    caller: str
    state: JsonObject
    as_node: str | None = None


async def edit_state(request: EditState, *, uow_factory: UnitOfWorkFactory, nudges: Nudges) -> None:
    """Have a runner, which knows the graph's reducers, apply the values; then it is paused again.

    Values that LangGraph refuses change nothing: the execution is paused with the error.

    Raises:
        NotFound: no such execution.
        InvalidInput: no such key of the state, or no such node.
        InvalidTransition: it is not paused, or has no checkpoint yet.
    """
    async with uow_factory() as uow:
        execution, last = await uow.executions.lock(request.execution_id)
        check_accepts(execution.status, CommandKind.EDIT_STATE)
        payload = {"state": request.state, "as_node": request.as_node}
        command = new_command(CommandKind.EDIT_STATE, execution.id, request.caller, payload)
        edit = await edit_of(command, execution, request.state, request.as_node, uow, pauses=True)
        status_before = execution.status
        run = await next_run(execution, last, uow, edit=edit)
        record_command(uow, command, execution, execution.edit(run), status_before)
        await uow.commit()
    await announce_run(run, uow_factory=uow_factory, nudges=nudges)
    nudges.new_events()
