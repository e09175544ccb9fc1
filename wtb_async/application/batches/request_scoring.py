"""Has a batch test scored by other evaluators, without running it again."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from wtb_async.application.batches.recording import record_batch_change
from wtb_async.application.batches.submit_batch_test import EvaluatorCheck
from wtb_async.application.commands import new_command
from wtb_async.application.ports import Nudges, UnitOfWorkFactory
from wtb_async.domain.batch_test import ScoringMode
from wtb_async.domain.command import Command, CommandKind
from wtb_async.domain.evaluator import EvaluatorChoice
from wtb_async.domain.events import Aggregate
from wtb_async.domain.json import JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestScoring:
    """A request to let evaluators look at what a batch test has run."""

    batch_test_id: UUID
    caller: str
    evaluators: Sequence[EvaluatorChoice]
    mode: ScoringMode = ScoringMode.ADD


async def request_scoring(
    request: RequestScoring,
    *,
    uow_factory: UnitOfWorkFactory,
    evaluators: EvaluatorCheck,
    nudges: Nudges,
) -> None:
    """Give the batch these evaluators, and have every ended execution shown to them.

    A batch that has ended is running until that is done. What is still running will be shown to
    them when it ends. Results that scorers find meanwhile for the evaluators before are dropped.

    Raises:
        NotFound: no such batch test.
        InvalidInput: an evaluator that cannot be called, a key that is taken, no evaluator where
            there must be one, or one where there must be none.
        InvalidTransition: the batch is being stopped.
    """
    async with uow_factory() as uow:
        batch = await uow.batch_tests.lock(request.batch_test_id)
        workflow = await uow.workflows.get(batch.workflow_id)
        evaluators.check(workflow.project, request.evaluators)
        status_before = batch.status
        event = batch.score_again(request.evaluators, request.mode)
        await uow.scores.score_again(batch.id, request.mode)
        command = _command(request)
        record_batch_change(uow, batch, event, status_before, actor=request.caller, command=command)
        await uow.commit()
    nudges.new_events()


def _command(request: RequestScoring) -> Command:
    payload: JsonObject = {
        "mode": request.mode.value,
        "evaluators": [choice.to_stored() for choice in request.evaluators],
    }
    return new_command(
        CommandKind.SCORE,
        request.batch_test_id,
        request.caller,
        payload,
        target=Aggregate.BATCH_TEST,
    )
