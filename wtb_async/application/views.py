"""What readers see: frozen values in the shapes of the REST API; no aggregate is loaded."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Generic, TypeVar
from uuid import UUID

from wtb_async.application.executions.plan import ExecutionPlan
from wtb_async.domain.batch_test import BatchStatus, BatchTest
from wtb_async.domain.evaluator import EvaluatorKind, shown
from wtb_async.domain.execution import ExecutionStatus, PauseReason
from wtb_async.domain.graph_choice import Combination
from wtb_async.domain.json import JsonObject, JsonValue
from wtb_async.domain.node_boundary import BoundaryStatus
from wtb_async.domain.workflow import NodeVariant, Workflow, WorkflowVariant

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """One page of a list; `next_cursor` is None on the last."""

    items: list[Item]
    next_cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointView:
    """One point of a timeline, without the values: the step that led here, and what comes next."""

    checkpoint_id: str
    thread_id: UUID
    parent_checkpoint_id: str | None
    step: int
    source: str
    next_nodes: list[str]
    """Every task of the next superstep, those that have finished meanwhile too."""
    created_at: datetime
    interrupts: list[JsonObject]
    """What tasks of the next superstep asked, answered or not:
    `{"id", "value", "node", "response_schema"}`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StateView:
    """The state of an execution at one checkpoint, before anything that is pending on it.

    A channel that nothing was ever written to has no value. An execution without any checkpoint
    has no values, and its `checkpoint_id` and `created_at` are missing.
    """

    execution_id: UUID
    thread_id: UUID
    """The thread that it was read on: the present one, if that has the checkpoint."""
    checkpoint_id: str | None
    values: JsonValue
    """By channel; of a graph whose state has no keys, its one value."""
    not_shown: dict[str, str]
    """The channels whose values have no JSON form or could not be read, and why."""
    next_nodes: list[str]
    """Every task of the next superstep, those that have finished meanwhile too."""
    interrupts: list[JsonObject]
    """The open questions: `{"id", "value", "node", "response_schema"}`."""
    created_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeVariantView:
    """Another implementation of one node."""

    node: str
    name: str
    implementation: str
    description: str
    environment: JsonObject | None
    resources: JsonObject | None
    created_by: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowVariantView:
    """Another whole graph under a workflow."""

    name: str
    graph: str
    description: str
    created_by: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowSummary:
    """A registered graph in a list."""

    id: UUID
    name: str
    project: str
    graph: str
    description: str
    version: int
    created_by: str
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowView(WorkflowSummary):
    """A registered graph with its topology, schemas and variants."""

    nodes: list[str]
    edges: list[JsonValue]
    mermaid: str
    input_schema: JsonObject
    output_schema: JsonObject
    node_variants: list[NodeVariantView]
    workflow_variants: list[WorkflowVariantView]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionView:
    """One input through one workflow with one choice of variants; durations in milliseconds."""

    id: UUID
    workflow_id: UUID
    workflow: str
    status: ExecutionStatus
    pause_reason: PauseReason | None
    input: JsonObject
    output: JsonValue
    error: JsonObject | None
    variants: dict[str, str]
    workflow_variant: str | None
    breakpoints: JsonObject
    """`{"before": [node], "after": [node]}`."""
    stream: list[str]
    thread_id: UUID
    checkpoint_id: str | None
    next_nodes: list[str]
    interrupts: list[JsonObject]
    batch_test_id: UUID | None
    test_case_id: str | None
    """The caller's own id of the test case."""
    repetition: int
    parent_execution_id: UUID | None
    attempt: int
    version: int
    metadata: JsonObject
    created_by: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    duration_ms: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeBoundaryView:
    """One attempt of one node; a retried or resumed node has several.

    What is too large to be kept shows as `{"truncated": true, "size": bytes}`. The exit checkpoint
    is the one that the node's superstep led to; it is missing until there is one.
    """

    node: str
    checkpoint_ns: str
    """Empty for the graph's own nodes; in a subgraph LangGraph's namespace of it."""
    task_id: str
    attempt: int
    status: BoundaryStatus
    entry_checkpoint_id: str
    exit_checkpoint_id: str | None
    started_at: datetime
    finished_at: datetime
    duration_ms: float
    input: JsonValue
    output: JsonValue
    error: JsonObject | None
    shared: bool
    """It ran for others as well, before this execution went its own way."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class EventView:
    """One fact of an event stream; `id` is the sequence in its object's history, from 1."""

    id: int
    type: str
    at: datetime
    execution_id: UUID | None
    batch_test_id: UUID | None
    data: JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveEventView:
    """What a run showed of its graph; `id` is `{version}-{n}`, the n-th event of a run.

    The version is that of the `ExecutionStarted` which began the run.
    """

    id: str
    type: str
    at: datetime
    execution_id: UUID
    data: JsonObject


def view_of_planned(plan: ExecutionPlan, workflow: str) -> ExecutionView:
    """The plan's first execution, just accepted: everything is still to come."""
    planned = plan.executions[0]
    choice = plan.choices[planned.choice]
    return ExecutionView(
        id=planned.execution_id,
        workflow_id=plan.workflow_id,
        workflow=workflow,
        status=ExecutionStatus.PENDING,
        pause_reason=None,
        input=plan.inputs[planned.input].input or {},
        output=None,
        error=None,
        variants=choice.variants,
        workflow_variant=choice.workflow_variant,
        breakpoints=plan.breakpoints.to_json(),
        stream=list(plan.stream),
        thread_id=planned.thread_id,
        checkpoint_id=None,
        next_nodes=[],
        interrupts=[],
        batch_test_id=plan.batch_test_id,
        test_case_id=None,
        repetition=planned.repetition,
        parent_execution_id=None,
        attempt=1,
        version=plan.first_version,
        metadata=plan.metadata,
        created_by=plan.caller,
        created_at=plan.created_at,
        started_at=None,
        finished_at=None,
        duration_ms=None,
    )


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


def view_of_workflow(workflow: Workflow) -> WorkflowView:
    """A workflow as readers see it."""
    topology = workflow.topology
    edges, mermaid = topology.get("edges"), topology.get("mermaid")
    return WorkflowView(
        id=workflow.id,
        name=workflow.name,
        project=workflow.project,
        graph=workflow.graph,
        description=workflow.description,
        version=workflow.version,
        created_by=workflow.created_by,
        created_at=workflow.created_at,
        updated_at=workflow.updated_at,
        nodes=workflow.nodes,
        edges=edges if isinstance(edges, list) else [],
        mermaid=mermaid if isinstance(mermaid, str) else "",
        input_schema=_schema(topology, "input_schema"),
        output_schema=_schema(topology, "output_schema"),
        node_variants=[view_of_node_variant(v) for v in workflow.node_variants],
        workflow_variants=[view_of_workflow_variant(v) for v in workflow.workflow_variants],
    )


def view_of_node_variant(variant: NodeVariant) -> NodeVariantView:
    """A node variant as readers see it."""
    return NodeVariantView(
        node=variant.node,
        name=variant.name,
        implementation=variant.implementation,
        description=variant.description,
        environment=variant.environment,
        resources=variant.resources,
        created_by=variant.created_by,
        created_at=variant.created_at,
    )


def view_of_workflow_variant(variant: WorkflowVariant) -> WorkflowVariantView:
    """A whole-graph variant as readers see it."""
    return WorkflowVariantView(
        name=variant.name,
        graph=variant.graph,
        description=variant.description,
        created_by=variant.created_by,
        created_at=variant.created_at,
    )


def _schema(topology: JsonObject, name: str) -> JsonObject:
    schema = topology.get(name)
    return schema if isinstance(schema, dict) else {}
