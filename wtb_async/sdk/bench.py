"""WTBTestBench: everything that can be asked of the system, on a server or in this process."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Self

from wtb_async.domain.comparison import Comparison
from wtb_async.domain.json import JsonObject, JsonValue
from wtb_async.sdk.batch_body import EvaluatorEntry, Matrix, evaluator_entries, plain_matrix
from wtb_async.sdk.batch_models import BatchTest, ResultRow
from wtb_async.sdk.batch_tests import OnProgress, ignore_progress
from wtb_async.sdk.client import WTBClient
from wtb_async.sdk.connection import Id
from wtb_async.sdk.models import (
    Breakpoints,
    Checkpoint,
    Event,
    Execution,
    NodeBoundary,
    State,
    Workflow,
)
from wtb_async.sdk.project import WorkflowProject
from wtb_async.sdk.references import Code, Refer, importable_reference

if TYPE_CHECKING:
    from wtb_async.sdk.sync import SyncTestBench


class BatchExecutor(StrEnum):
    """What executes the runs of a bench."""

    LOCAL = "local"
    RAY = "ray"


class _WithoutAwait:
    """`WTBTestBench.sync`: the same bench for code that does not await."""

    def __get__(self, bench: object, owner: type) -> "type[SyncTestBench]":
        # It is made of this class, and most programs do without it.
        from wtb_async.sdk.sync import SyncTestBench  # noqa: PLC0415

        return SyncTestBench


class WTBTestBench:
    """Runs workflows and their variants, takes them back in time, and compares them.

    Open it with `connect` or `local`; both give the same. Errors are those of `WTBClient`.

    Attributes:
        client: the whole REST API, where this class leaves something out.
        datasets: named test cases with versions.
        files: what executions wrote, at any checkpoint.
        integrity: checks of the database and the files.
        batch_executor: what executes its runs.
        sync: the same bench for code that does not await.
    """

    sync = _WithoutAwait()

    def __init__(self, client: WTBClient, refer: Refer, batch_executor: BatchExecutor) -> None:
        self.client = client
        self.datasets = client.datasets
        self.files = client.files
        self.integrity = client.integrity
        self.batch_executor = batch_executor
        self._refer = refer

    @classmethod
    @asynccontextmanager
    async def connect(cls, url: str, *, api_key: str) -> AsyncIterator[Self]:
        """Use a server. Code reaches it by reference: it must be able to import it."""
        async with WTBClient(url, api_key=api_key) as client:
            yield cls(client, importable_reference, BatchExecutor.RAY)

    @classmethod
    @asynccontextmanager
    async def local(
        cls,
        data_dir: str | Path | None = None,
        project: str | Path | None = None,
        *,
        slots: int = 8,
    ) -> AsyncIterator[Self]:
        """Run everything in this process, on the running event loop.

        Leaving it waits for what is being executed. What is left then, after a crash too, goes on
        when a bench is opened on the same data again.

        Args:
            data_dir: where its database is kept. By default it is the one of `WTB_DATABASE_URL`,
                or `.wtb/local`.
            project: a `langgraph.json` whose graphs and variants are registered.
            slots: how many runs are executed side by side.

        Raises:
            StackError: another bench is open on the same data, or its database does not start.
            Conflict: it is the database of a server whose runners work.
        """
        # The server's parts take a second to import, and a client does without them.
        from wtb_async.sdk.local import open_local_client  # noqa: PLC0415

        async with open_local_client(data_dir, project, slots=slots) as (client, refer):
            yield cls(client, refer, BatchExecutor.LOCAL)

    async def register_project(self, project: WorkflowProject) -> Workflow:
        """Make a workflow with its variants runnable, or bring it up to date.

        Variants that the project does not name stay.

        Raises:
            NotImportable: a server cannot import one of its functions.
        """
        named = project.references(self._refer)
        return await self.client.workflows.put(
            project.name,
            named.graph,
            project=project.project,
            description=project.description,
            node_variants=named.node_variants,
            workflow_variants=named.workflow_variants,
        )

    async def run(
        self,
        workflow: Id,
        graph_input: JsonValue,
        *,
        variants: Mapping[str, str] | None = None,
        workflow_variant: str | None = None,
        breakpoints: Breakpoints | None = None,
        stream: str | Sequence[str] = (),
        limits: JsonObject | None = None,
        metadata: JsonObject | None = None,
        wait: bool = True,
    ) -> Execution:
        """Run one input through one workflow, until it ends or pauses.

        A failed execution is no error here: `status` and `error` say what became of it. The
        arguments are those of `Executions.create`; without `wait` it has only been accepted.
        """
        execution = await self.client.executions.create(
            workflow,
            graph_input,
            variants=variants,
            workflow_variant=workflow_variant,
            breakpoints=breakpoints,
            stream=stream,
            limits=limits,
            metadata=metadata,
        )
        return await self._at_rest(execution, wait=wait)

    async def get(self, execution_id: Id) -> Execution:
        """Read one execution."""
        return await self.client.executions.get(execution_id)

    async def wait_for(self, execution_id: Id) -> Execution:
        """Wait until an execution has ended or is paused."""
        return await self.client.executions.wait_for(execution_id)

    def events(self, execution_id: Id, *, after: str | None = None) -> AsyncIterator[Event]:
        """Follow what becomes of an execution until it ends, see `Executions.events`."""
        return self.client.executions.events(execution_id, after=after)

    async def pause(
        self, execution_id: Id, *, at_node: str | None = None, wait: bool = True
    ) -> Execution:
        """Pause it at the next superstep boundary, or before a node."""
        execution = await self.client.executions.pause(execution_id, at_node=at_node)
        return await self._at_rest(execution, wait=wait)

    async def resume(
        self,
        execution_id: Id,
        *,
        state: JsonObject | None = None,
        as_node: str | None = None,
        answers: JsonValue = None,
        wait: bool = True,
    ) -> Execution:
        """Let it go on until it ends or pauses again, see `Executions.resume`."""
        execution = await self.client.executions.resume(
            execution_id, state=state, as_node=as_node, answers=answers
        )
        return await self._at_rest(execution, wait=wait)

    async def stop(self, execution_id: Id, *, wait: bool = True) -> Execution:
        """End an execution that is not wanted any more."""
        execution = await self.client.executions.stop(execution_id)
        return await self._at_rest(execution, wait=wait)

    async def rollback(
        self,
        execution_id: Id,
        checkpoint_id: Id | None = None,
        *,
        before_node: str | None = None,
        after_node: str | None = None,
        restore_files: bool = True,
    ) -> Execution:
        """Take it back to exactly one of these moments, with its files; it is paused there."""
        return await self.client.executions.roll_back(
            execution_id,
            checkpoint_id=checkpoint_id,
            before_node=before_node,
            after_node=after_node,
            restore_files=restore_files,
        )

    async def branch(
        self,
        execution_id: Id,
        checkpoint_id: Id,
        *,
        state: JsonObject | None = None,
        variants: Mapping[str, str] | None = None,
        start: bool = True,
        wait: bool = True,
    ) -> Execution:
        """Run another execution from a checkpoint of this one, which stays as it is."""
        execution = await self.client.executions.branch(
            execution_id, checkpoint_id, state=state, variants=variants, start=start
        )
        return await self._at_rest(execution, wait=wait)

    async def get_checkpoints(self, execution_id: Id) -> list[Checkpoint]:
        """Read the timeline of an execution, newest first."""
        return [each async for each in self.client.executions.checkpoints(execution_id)]

    async def get_state(self, execution_id: Id, checkpoint_id: Id | None = None) -> State:
        """Read the values at a checkpoint; without one, at the newest."""
        return await self.client.executions.state(execution_id, checkpoint_id)

    async def nodes(self, execution_id: Id) -> list[NodeBoundary]:
        """Read every attempt of every node, oldest first."""
        return [each async for each in self.client.executions.nodes(execution_id)]

    async def run_batch_test(
        self,
        /,
        workflow: Id,
        *,
        variant_matrix: Matrix | None = None,
        test_cases: Sequence[Mapping[str, JsonValue]] | None = None,
        dataset: Id | None = None,
        evaluators: Sequence[Code | EvaluatorEntry] = (),
        pairwise_evaluators: Sequence[Code | EvaluatorEntry] = (),
        summary_evaluators: Sequence[Code | EvaluatorEntry] = (),
        wait: bool = True,
        on_progress: OnProgress = ignore_progress,
        **further: JsonValue,
    ) -> BatchTest:
        """Run every combination of variants on every test case, and score what comes out.

        Args:
            workflow: its name or id.
            variant_matrix: a product, or an explicit list of combinations.
            test_cases: `{"id", "input", "reference"?, "metadata"?}` each.
            dataset: the name or id of a dataset, instead of `test_cases`.
            evaluators: functions, references to them (`wtb.` ones are built in), or entries
                `{"use": ..., "key"?, "with"?, ...}` as of the API.
            pairwise_evaluators: the same, for two outputs of one case.
            summary_evaluators: the same, for all outputs of a combination.
            wait: whether to come back at the end, or once it is accepted.
            on_progress: told how far it is while it waits.
            further: any other field of a batch test: `name`, `baseline`, `repetitions`, `limits`.
        """
        body: JsonObject = {
            **further,
            "workflow": str(workflow),
            "variant_matrix": plain_matrix(variant_matrix or {}),
            "test_cases": None if test_cases is None else [dict(case) for case in test_cases],
            "dataset": None if dataset is None else str(dataset),
            "evaluators": evaluator_entries(workflow, evaluators, self._refer),
            "pairwise_evaluators": evaluator_entries(workflow, pairwise_evaluators, self._refer),
            "summary_evaluators": evaluator_entries(workflow, summary_evaluators, self._refer),
        }
        batch = await self.client.batch_tests.create(body)
        return await self.client.batch_tests.wait_for(batch.id, on_progress) if wait else batch

    async def get_batch_test(self, batch_test_id: Id) -> BatchTest:
        """Read one batch test with its counts."""
        return await self.client.batch_tests.get(batch_test_id)

    async def results(self, batch_test_id: Id) -> list[ResultRow]:
        """Read a row for every execution of a batch test, with its scores."""
        return [each async for each in self.client.batch_tests.results(batch_test_id)]

    async def compare(self, batch_test_id: Id) -> Comparison:
        """Compare the combinations of a batch test with its baseline; as text it is the verdict."""
        return await self.client.batch_tests.comparison(batch_test_id)

    async def _at_rest(self, execution: Execution, *, wait: bool) -> Execution:
        if not wait:
            return execution
        return await self.client.executions.wait_for(execution.id, since=execution.version)
