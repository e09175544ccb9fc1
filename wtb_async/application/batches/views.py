"""Batch tests and their results as readers see them."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from wtb_async.domain.batch_test import BatchStatus, BatchTest
from wtb_async.domain.evaluator import EvaluatorKind, shown
from wtb_async.domain.execution import ExecutionStatus
from wtb_async.domain.graph_choice import Combination
from wtb_async.domain.json import JsonObject, JsonValue


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchCounts:
    """How many executions of a batch test stand where."""

    total: int
    pending: int = 0
    running: int = 0
    paused: int = 0
    completed: int = 0
    failed: int = 0
    cancelled: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeExecutions:
    """How often nodes were executed, and how much more often without shared prefixes."""

    run: int
    saved: int
    saved_ms: float
    """The time that the spared executions would have taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchCost:
    """What the models of a batch test took so far, as its scored executions say.

    `money` is what `wtb.cost` has added up, None where nobody gave prices.
    """

    input_tokens: int
    output_tokens: int
    total_tokens: int
    money: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchTestView:
    """Variant combinations x test cases x repetitions of one workflow."""

    id: UUID
    name: str
    workflow_id: UUID
    workflow: str
    status: BatchStatus
    counts: BatchCounts
    combinations: list[Combination]
    baseline: Combination
    evaluators: list[JsonValue]
    """References, or objects where more was said than that."""
    pairwise_evaluators: list[JsonValue]
    summary_evaluators: list[JsonValue]
    repetitions: int
    share_prefixes: bool
    node_executions: NodeExecutions | None = None
    """Lists leave them out."""
    max_concurrency: int | None
    max_failures: int | None
    becomes: BatchStatus | None
    """What it is about to become, when its last runs have come to rest."""
    error: JsonObject | None
    dataset_id: UUID | None
    dataset_version: int | None
    case_limit: int | None
    """How many cases of that version were asked for; None is all of them."""
    version: int
    created_by: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    cost: BatchCost | None = None
    """None where no output says what its models took, and in lists."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeDuration:
    """How long a node of the graph took in one execution; a subgraph is part of its node.

    A node that was executed before and after its execution went its own way has two of these.
    """

    node: str
    shared: bool
    """It ran for others as well."""
    count: int
    """How often it was executed, each attempt by itself."""
    duration_ms: float
    """Of all these together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultRow:
    """One execution of a batch test with its scores; `score_errors` says which failed and why.

    `preferences` compare it with the baseline: 1 where it was preferred, 0 where not, 0.5 for ties.
    """

    execution_id: UUID
    combination: Combination
    test_case_id: str
    repetition: int
    status: ExecutionStatus
    output: JsonValue
    error: JsonObject | None
    scores: dict[str, bool | float]
    preferences: dict[str, float]
    score_comments: dict[str, str]
    score_errors: dict[str, str]
    scored_at: datetime | None
    """When the evaluators were done with it."""
    duration_ms: float | None
    nodes: list[NodeDuration]
    """In the order in which they were first executed."""


def view_of_batch(batch: BatchTest, workflow: str, counts: BatchCounts) -> BatchTestView:
    """A batch test as readers see it."""
    return BatchTestView(
        id=batch.id,
        name=batch.name,
        workflow_id=batch.workflow_id,
        workflow=workflow,
        status=batch.status,
        counts=counts,
        combinations=batch.combinations,
        baseline=batch.baseline,
        evaluators=shown(batch.evaluators, EvaluatorKind.SINGLE),
        pairwise_evaluators=shown(batch.evaluators, EvaluatorKind.PAIRWISE),
        summary_evaluators=shown(batch.evaluators, EvaluatorKind.SUMMARY),
        repetitions=batch.repetitions,
        share_prefixes=batch.share_prefixes,
        max_concurrency=batch.max_concurrency,
        max_failures=batch.max_failures,
        becomes=batch.becomes,
        error=batch.error,
        dataset_id=batch.dataset_id,
        dataset_version=batch.dataset_version,
        case_limit=batch.case_limit,
        version=batch.version,
        created_by=batch.created_by,
        created_at=batch.created_at,
        started_at=batch.started_at,
        finished_at=batch.finished_at,
    )


def view_of_new_batch(batch: BatchTest, workflow: str) -> BatchTestView:
    """A batch test that was just accepted: everything in it is pending."""
    view = view_of_batch(batch, workflow, BatchCounts(total=batch.total, pending=batch.total))
    return replace(view, node_executions=NodeExecutions(run=0, saved=0, saved_ms=0.0))
