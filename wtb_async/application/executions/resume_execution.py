"""Lets a paused or failed execution go on."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from wtb_async.application.commands import new_command
from wtb_async.application.executions.answers import answers_by_interrupt
from wtb_async.application.executions.recording import record_command
from wtb_async.application.executions.successor import announce_run, edit_of, next_run
from wtb_async.application.ports import Nudges, UnitOfWork, UnitOfWorkFactory
from wtb_async.domain.command import CommandKind, check_accepts
from wtb_async.domain.errors import InvalidInput
from wtb_async.domain.execution import Execution, PauseReason
from wtb_async.domain.json import JsonObject, JsonValue


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeExecution:
    """A request to go on, perhaps with other values in the state, or with answers.

    `answers` maps interrupt ids to answers; when exactly one question is open it may be the bare
    answer. None gives no answer.
    """

    execution_id: UUID
    caller: str
    state: JsonObject | None = None
    as_node: str | None = None
    answers: JsonValue = None


async def resume_execution(
    request: ResumeExecution, *, uow_factory: UnitOfWorkFactory, nudges: Nudges
) -> None:
    """Give the execution a run that goes on from its last checkpoint.

    Answers and edits are recorded in the same transaction; a failed execution is tried again.

    Raises:
        NotFound: no such execution.
        InvalidInput: an edit or an answer that does not fit.
        InvalidTransition: it is neither paused nor failed, or a question has been answered.
    """
    async with uow_factory() as uow:
        execution, last = await uow.executions.lock(request.execution_id)
        check_accepts(execution.status, CommandKind.RESUME)
        answers = answers_by_interrupt(request.answers, execution.interrupts)
        _check_is_answered(request, execution, answers)
        payload = {"state": request.state, "as_node": request.as_node, "answers": request.answers}
        command = new_command(CommandKind.RESUME, execution.id, request.caller, payload)
        edit = None
        if answers:
            await _answer(request, execution, answers, uow)
        else:
            edit = await edit_of(command, execution, request.state, request.as_node, uow)
        status_before = execution.status
        run = await next_run(execution, last, uow, edit=edit)
        event = execution.resume(run)
        if execution.batch_test_id is not None:
            await uow.executions.forget_scores(execution.id)
        record_command(uow, command, execution, event, status_before)
        await uow.commit()
    await announce_run(run, uow_factory=uow_factory, nudges=nudges)
    nudges.new_events()


async def _answer(
    request: ResumeExecution,
    execution: Execution,
    answers: Mapping[str, JsonValue],
    uow: UnitOfWork,
) -> None:
    if request.as_node is not None:
        raise InvalidInput.of("as_node", "values that come with answers belong to no node")
    if execution.checkpoint_id is None:
        raise InvalidInput.of("answers", "the execution has asked nothing yet")
    values = request.state or {}
    if values:
        workflow = await uow.workflows.get(execution.workflow_id)
        workflow.check_state_keys(
            values, field="state", workflow_variant=execution.workflow_variant
        )
    await uow.threads.answer(execution.thread_id, execution.checkpoint_id, answers, values)


def _check_is_answered(
    request: ResumeExecution, execution: Execution, answers: Mapping[str, JsonValue]
) -> None:
    """Going on without an answer would only ask the same question again."""
    if execution.pause_reason is PauseReason.INTERRUPT and not answers and request.state is None:
        raise InvalidInput.of("answers", "the execution waits for an answer; see its interrupts")
