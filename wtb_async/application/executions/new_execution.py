"""Makes an execution with its first run and thread."""

from dataclasses import asdict
from uuid import UUID

from wtb_async.application.clock import utc_now
from wtb_async.application.ids import new_id
from wtb_async.domain.execution import Execution, Limits
from wtb_async.domain.json import JsonObject
from wtb_async.domain.run import Run, Thread


def new_execution(
    workflow_id: UUID,
    graph_input: JsonObject,
    *,
    variants: dict[str, str],
    workflow_variant: str | None,
    limits: Limits,
    metadata: JsonObject,
    caller: str,
    batch_test_id: UUID | None = None,
    test_case_id: UUID | None = None,
    repetition: int = 0,
) -> tuple[Execution, Run, Thread]:
    """A pending execution, the run that will start it, and the thread it will write."""
    now = utc_now()
    thread = Thread(id=new_id(), created_at=now)
    run = Run(
        id=new_id(),
        thread_id=thread.id,
        workflow_id=workflow_id,
        created_at=now,
        variants=variants,
        workflow_variant=workflow_variant,
        limits=asdict(limits),
    )
    execution = Execution(
        id=new_id(),
        workflow_id=workflow_id,
        run_id=run.id,
        thread_id=thread.id,
        input=graph_input,
        variants=variants,
        workflow_variant=workflow_variant,
        batch_test_id=batch_test_id,
        test_case_id=test_case_id,
        repetition=repetition,
        annotations=metadata,
        created_by=caller,
        created_at=now,
    )
    return execution, run, thread
