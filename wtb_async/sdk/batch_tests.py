"""`/batch-tests`: variant matrices, their progress, results and comparison."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import aclosing

from wtb_async.domain.batch_test import BATCH_ENDED, BatchStatus, ScoringMode
from wtb_async.domain.comparison import Comparison
from wtb_async.domain.execution import ExecutionStatus
from wtb_async.domain.gate.gate import GateReport
from wtb_async.domain.json import JsonObject, JsonValue
from wtb_async.sdk.batch_models import BatchProgress, BatchTest, ResultRow
from wtb_async.sdk.connection import Connection, Id, path_of
from wtb_async.sdk.event_stream import Connected
from wtb_async.sdk.models import Event

_END_EVENTS = frozenset({"BatchCompleted", "BatchFailed", "BatchCancelled"})
_REST_EVENTS = _END_EVENTS | {"BatchPaused"}

OnProgress = Callable[[BatchProgress], None]


def ignore_progress(_: BatchProgress) -> None:
    """Nobody watches."""


class BatchTests:
    """The batch tests of a server."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list(self, *, workflow: Id | None = None, page_size: int = 100) -> AsyncIterator[BatchTest]:
        """Walk the batch tests, newest first."""
        filters = {"workflow": workflow}
        return self._connection.pages(
            BatchTest, path_of("batch-tests"), filters, page_size=page_size
        )

    async def get(self, batch_test_id: Id) -> BatchTest:
        """Read one batch test with its counts."""
        return await self._connection.get(BatchTest, path_of("batch-tests", batch_test_id))

    async def create(
        self, body: Mapping[str, JsonValue], *, idempotency_key: str | None = None
    ) -> BatchTest:
        """Ask for variant combinations x test cases x repetitions of one workflow."""
        path = path_of("batch-tests")
        return await self._connection.post(BatchTest, path, body, idempotency_key=idempotency_key)

    async def extend(
        self,
        batch_test_id: Id,
        body: Mapping[str, JsonValue],
        *,
        idempotency_key: str | None = None,
    ) -> BatchTest:
        """Let a batch test grow; only what is new is run, and nothing new changes nothing.

        Args:
            batch_test_id: the batch test.
            body: any of `variant_matrix` with `exclude`, `test_cases`, `repetitions` (the new
                total), and for a batch on a dataset `dataset_version` and `limit`.
            idempotency_key: with the same key it grows once.
        """
        path = path_of("batch-tests", batch_test_id, "extend")
        return await self._connection.post(BatchTest, path, body, idempotency_key=idempotency_key)

    async def score(
        self,
        batch_test_id: Id,
        evaluators: Sequence[JsonValue] = (),
        *,
        pairwise_evaluators: Sequence[JsonValue] = (),
        summary_evaluators: Sequence[JsonValue] = (),
        mode: ScoringMode = ScoringMode.ADD,
        idempotency_key: str | None = None,
    ) -> BatchTest:
        """Have what a batch test has run scored by other evaluators; it runs until that is done.

        Args:
            batch_test_id: the batch test.
            evaluators: references, or objects with `use`, `key`, `with` and so on.
            pairwise_evaluators: those that compare an output with the baseline's.
            summary_evaluators: those that look at all outputs of a combination.
            mode: whether the evaluators before stay, with their scores; RETRY names none, and
                calls those again that failed.
            idempotency_key: with the same key nothing is asked twice.
        """
        path = path_of("batch-tests", batch_test_id, "score")
        body: JsonObject = {
            "evaluators": list(evaluators),
            "pairwise_evaluators": list(pairwise_evaluators),
            "summary_evaluators": list(summary_evaluators),
            "mode": mode.value,
        }
        return await self._connection.post(BatchTest, path, body, idempotency_key=idempotency_key)

    def results(
        self,
        batch_test_id: Id,
        *,
        status: ExecutionStatus | None = None,
        test_case: str | None = None,
        page_size: int = 200,
    ) -> AsyncIterator[ResultRow]:
        """Walk the executions of a batch test with their scores; `test_case` is a case's id."""
        path = path_of("batch-tests", batch_test_id, "results")
        filters = {"status": status, "test_case": test_case}
        return self._connection.pages(ResultRow, path, filters, page_size=page_size)

    async def comparison(self, batch_test_id: Id, *, against: Id | None = None) -> Comparison:
        """Compare the combinations of a batch test with its baseline, or with another batch test.

        Two batch tests are compared by the ids of their test cases, combination by combination if
        both ran the same ones, else baseline with baseline.
        """
        path = path_of("batch-tests", batch_test_id, "comparison")
        return await self._connection.get(Comparison, path, {"against": against})

    async def gate(
        self,
        batch_test_id: Id,
        *,
        fail_if: Sequence[str] = (),
        worse_than: Sequence[Id] = (),
        scores: Sequence[str] = (),
        strict: bool = False,
    ) -> GateReport:
        """Find out whether a batch test that has ended passes a gate.

        Args:
            batch_test_id: the batch test.
            fail_if: conditions that may hold for no combination, `hit_at_k < 0.8`.
            worse_than: what it may not be worse than: combinations (`retriever=base`) or ids of
                other batch tests.
            scores: the scores on which it may not be worse; none are all but latency.
            strict: whether doubt fails, too.
        """
        asked = {
            "fail_if": fail_if,
            "worse_than": worse_than,
            "score": scores,
            "strict": "true" if strict else None,
        }
        path = path_of("batch-tests", batch_test_id, "gate")
        return await self._connection.get(GateReport, path, asked)

    async def pause(self, batch_test_id: Id, *, reason: str | None = None) -> BatchTest:
        """Begin nothing more of it, and pause what runs at the next superstep boundary."""
        return await self._command(batch_test_id, "pause", reason)

    async def resume(self, batch_test_id: Id, *, reason: str | None = None) -> BatchTest:
        """Go on with what the pause held up, or with what was cancelled when it ended."""
        return await self._command(batch_test_id, "resume", reason)

    async def stop(self, batch_test_id: Id, *, reason: str | None = None) -> BatchTest:
        """End a batch test that is not wanted any more."""
        return await self._command(batch_test_id, "stop", reason)

    async def retry_failed(self, batch_test_id: Id, *, reason: str | None = None) -> BatchTest:
        """Try its failed executions again from their last checkpoints."""
        return await self._command(batch_test_id, "retry-failed", reason)

    async def events(self, batch_test_id: Id, *, after: str | None = None) -> AsyncGenerator[Event]:
        """Follow a batch test until it ends; a broken connection is taken up again.

        An end that somebody led out of since, as by resuming it or by having it scored again, is
        not the last event.
        """
        version = (await self.get(batch_test_id)).version
        changes = self._connection.changes(self._stream_of(batch_test_id), after=after)
        async with aclosing(changes):
            async for event in changes:
                if isinstance(event, Event):
                    yield event
                    if event.type in _END_EVENTS and int(event.id) >= version:
                        return

    async def wait_for(
        self,
        batch_test_id: Id,
        on_progress: OnProgress = ignore_progress,
        *,
        until: Collection[BatchStatus] = BATCH_ENDED,
    ) -> BatchTest:
        """Wait until the batch test has ended, telling how far it has come, and return it.

        Args:
            batch_test_id: the batch test.
            on_progress: told whenever it has come further.
            until: the statuses that end the wait; one that is paused is waited for by default.
        """
        async with aclosing(self._connection.changes(self._stream_of(batch_test_id))) as changes:
            async for change in changes:
                # Before the connection, or while there was none, the end may have passed.
                if isinstance(change, Connected) or change.type in _REST_EVENTS:
                    batch = await self.get(batch_test_id)
                    on_progress(BatchProgress(counts=batch.counts))
                    if batch.status in until:
                        return batch
                elif change.type == "BatchProgress":
                    on_progress(BatchProgress.model_validate(change.data))
        return await self.get(batch_test_id)

    async def _command(self, batch_test_id: Id, verb: str, reason: str | None) -> BatchTest:
        path = path_of("batch-tests", batch_test_id, verb)
        return await self._connection.post(BatchTest, path, {"reason": reason})

    @staticmethod
    def _stream_of(batch_test_id: Id) -> str:
        return path_of("batch-tests", batch_test_id, "events")
