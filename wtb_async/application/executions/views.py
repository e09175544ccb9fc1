"""Executions and their timelines as readers see them."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from wtb_async.application.executions.plan import ExecutionPlan
from wtb_async.domain.execution import ExecutionStatus, PauseReason
from wtb_async.domain.json import JsonObject, JsonValue
from wtb_async.domain.node_boundary import BoundaryStatus


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
    file_commit_id: UUID | None
    """The files at this moment; None when there were none yet."""
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
