"""Batch tests that are paused, stopped and resumed as a whole, with or without a runner."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from uuid import UUID

from arranging import claim, eventually, select, settle

from wtb_async.application.batches.batch_command import BatchCommand
from wtb_async.application.batches.choose_cases import CaseChoice
from wtb_async.application.batches.pause_batch import pause_batch
from wtb_async.application.batches.release_runs import release_all_runs
from wtb_async.application.batches.resume_batch import resume_batch
from wtb_async.application.batches.retry_failed import retry_failed
from wtb_async.application.batches.stop_batch import stop_batch
from wtb_async.application.batches.submit_batch_test import SubmitBatchTest, submit_batch_test
from wtb_async.application.batches.views import BatchTestView
from wtb_async.application.executions.pause_execution import PauseExecution, pause_execution
from wtb_async.application.executions.resume_execution import ResumeExecution, resume_execution
from wtb_async.application.executions.stop_execution import StopExecution, stop_execution
from wtb_async.application.outbox.relay_outbox import RelayOptions, relay_outbox
from wtb_async.application.outbox.routing import Deliveries
from wtb_async.application.runs.claims import ClaimedRun, RunOutcome
from wtb_async.bootstrap.platform import Platform
from wtb_async.domain.batch_test import BATCH_TRANSITIONS, BatchStatus
from wtb_async.domain.dataset import CaseContent
from wtb_async.domain.execution import (
    EXECUTION_TRANSITIONS,
    ExecutionStatus,
    Limits,
    PauseReason,
    RunError,
)
from wtb_async.domain.json import JsonObject
from wtb_async.domain.run import RunStatus
from wtb_async.infrastructure.postgres.database import Database
from wtb_async.infrastructure.postgres.queries.batch_tests import BatchTestQueries

CALLER = "somebody"

RELAY_OPTIONS = RelayOptions(
    chunk_size=500, claim_for=30.0, max_attempts=3, backoff=0.01, backoff_limit=0.01
)


class NoBroker:
    """Delivers to nobody: these tests have no workers."""

    async def deliver(self, deliveries: Deliveries) -> None:
        """Forget it."""


@dataclass(frozen=True)
class ControlledBatch:
    """One batch test of one platform."""

    platform: Platform
    id: UUID

    async def pause(self) -> None:
        await pause_batch(self._command(), **self._parts())

    async def stop(self) -> None:
        await stop_batch(self._command(), **self._parts())

    async def resume(self) -> None:
        await resume_batch(self._command(), **self._parts())

    async def retry_failed(self) -> None:
        await retry_failed(self._command(), **self._parts())

    async def pause_one(self, execution_id: UUID) -> None:
        """Ask for a pause of one of its executions."""
        request = PauseExecution(execution_id=execution_id, caller=CALLER)
        await pause_execution(request, **self._parts())

    async def resume_one(self, execution_id: UUID) -> None:
        """Let one of its executions go on."""
        request = ResumeExecution(execution_id=execution_id, caller=CALLER)
        await resume_execution(request, **self._parts())

    async def stop_one(self, execution_id: UUID) -> None:
        """Stop one of its executions."""
        request = StopExecution(execution_id=execution_id, caller=CALLER)
        await stop_execution(request, **self._parts())

    def _command(self) -> BatchCommand:
        return BatchCommand(batch_id=self.id, caller=CALLER, reason="a test")

    def _parts(self) -> dict[str, Any]:
        platform = self.platform
        return {"uow_factory": platform.database.unit_of_work, "nudges": platform.nudges}

    async def claim(self, runner_id: UUID, limit: int = 1000) -> list[ClaimedRun]:
        """Claim, and note that the batch has started, as runners do."""
        runs = await claim(self.platform.database.unit_of_work, runner_id, limit)
        if runs:
            async with self.platform.database.unit_of_work() as uow:
                await uow.batch_tests.mark_started([self.id], runner_id)
                await uow.commit()
        return runs

    async def settle(self, runner_id: UUID, *outcomes: RunOutcome) -> None:
        """Settle, and relay what comes of it."""
        await settle(self.platform.database.unit_of_work, runner_id, *outcomes)
        await self.relay()

    async def relay(self) -> None:
        """Relay until nothing is left to relay."""
        while await relay_outbox(self.platform.database.unit_of_work, NoBroker(), RELAY_OPTIONS):
            pass

    async def view(self) -> BatchTestView:
        return await BatchTestQueries(self.platform.database.engine).get(self.id)

    async def stands(self) -> tuple[str, str | None]:
        """Its status, and what it is about to become."""
        view = await self.view()
        return view.status.value, view.becomes.value if view.becomes else None

    async def when(self, status: BatchStatus) -> BatchTestView:
        """The batch, once it is in this status; meanwhile events are relayed."""

        async def there() -> BatchTestView | None:
            await self.relay()
            view = await self.view()
            return view if view.status is status else None

        found = await eventually(there)
        assert found is not None
        return found

    async def counts(self) -> dict[str, int]:
        """Its executions by status, without those statuses that none has."""
        rows = await self.executions()
        return dict(Counter(row["status"] for row in rows))

    async def runs(self) -> dict[str, int]:
        """The runs that have not ended, by status, without those statuses that none has."""
        rows = await select(self.platform.database, OPEN_RUNS, id=self.id)
        return {row["status"]: row["count"] for row in rows}

    async def release(self) -> None:
        """Look for places, as the beat does."""
        await release_all_runs(**self._parts())

    async def executions(self) -> list[dict[str, Any]]:
        """Its executions with the status of their runs, in the order in which they were planned."""
        return await select(
            self.platform.database,
            """SELECT execution.*, run.status AS run_status, run.request
               FROM wtb_executions AS execution JOIN wtb_runs AS run ON run.id = execution.run_id
               WHERE execution.batch_test_id = :id ORDER BY execution.id""",
            id=self.id,
        )


def paused(run: ClaimedRun, reason: PauseReason = PauseReason.BATCH) -> RunOutcome:
    """A pause at a boundary."""
    return RunOutcome(
        run_id=run.id,
        status=RunStatus.PAUSED,
        duration_ms=1.0,
        pause_reason=reason,
        checkpoint_id="c-1",
    )


def failed(run: ClaimedRun) -> RunOutcome:
    """A failure at the first checkpoint."""
    error = RunError("ValueError", "broken")
    return RunOutcome(
        run_id=run.id, status=RunStatus.FAILED, duration_ms=1.0, error=error, checkpoint_id="c-1"
    )


async def submit_batch(
    platform: Platform,
    workflow: str,
    inputs: Sequence[JsonObject],
    *,
    evaluators: Sequence[str] = (),
    limits: Limits | None = None,
    max_concurrency: int | None = None,
    max_failures: int | None = None,
    variants: dict[str, list[str]] | None = None,
) -> ControlledBatch:
    """A batch test with a case for each input; the workflow is registered."""
    view = await submit_batch_test(
        SubmitBatchTest(
            workflow=workflow,
            name="a batch",
            variant_matrix=variants or {},
            exclude=(),
            baseline=None,
            cases=CaseChoice(
                test_cases=[
                    CaseContent(key=f"case {number}", input=given, reference=None)
                    for number, given in enumerate(inputs)
                ]
            ),
            repetitions=1,
            evaluators=list(evaluators),
            limits=limits or Limits(),
            max_concurrency=max_concurrency,
            max_failures=max_failures,
            max_executions=100_000,
            caller=CALLER,
        ),
        uow_factory=platform.database.unit_of_work,
        evaluators=platform.evaluation,
        nudges=platform.nudges,
    )
    return ControlledBatch(platform, view.id)


Follows = Callable[[str, str], bool]


async def check_record(batch: ControlledBatch) -> None:
    """Every change of the batch and of its executions has its event and its audit entry."""
    database = batch.platform.database
    view = await batch.view()
    await _check_one(database, batch.id, view.version, "pending", _may_follow_in_batch)
    for row in await batch.executions():
        await _check_one(database, row["id"], row["version"], "pending", _may_follow)


async def _check_one(
    database: Database, aggregate_id: UUID, version: int, first: str, may_follow: Follows
) -> None:
    events = await select(database, EVENTS, id=aggregate_id)
    audit = await select(database, AUDIT, id=aggregate_id)
    assert [each["sequence"] for each in events] == list(range(1, version + 1))
    assert Counter(each["type"] for each in events) == Counter(each["action"] for each in audit)
    for before, after in pairwise(audit):
        assert after["status_before"] == before["status_after"], audit
    for entry in audit:
        old, new = entry["status_before"] or first, entry["status_after"]
        assert old == new or may_follow(old, new), audit


def _may_follow(old: str, new: str) -> bool:
    return EXECUTION_TRANSITIONS.allows(ExecutionStatus(old), ExecutionStatus(new))


def _may_follow_in_batch(old: str, new: str) -> bool:
    return BATCH_TRANSITIONS.allows(BatchStatus(old), BatchStatus(new))


OPEN_RUNS = """
SELECT run.status, count(*) FROM wtb_runs AS run
JOIN wtb_executions AS execution ON execution.run_id = run.id
WHERE execution.batch_test_id = :id
  AND run.status IN ('waiting', 'held', 'pending', 'running') GROUP BY 1
"""
EVENTS = "SELECT sequence, type FROM wtb_outbox WHERE aggregate_id = :id ORDER BY id"
AUDIT = """
SELECT action, status_before, status_after FROM wtb_audit_log
WHERE aggregate_id = :id ORDER BY id
"""
