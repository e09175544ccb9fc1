"""What the REST API answers about batch tests, as types."""

from datetime import datetime
from uuid import UUID

from pydantic import Field, JsonValue

from wtb_async.domain.batch_test import BatchStatus
from wtb_async.domain.execution import ExecutionStatus
from wtb_async.sdk.models import Answer, ExecutionError


class BatchCounts(Answer):
    """How many executions of a batch test stand where."""

    total: int
    pending: int = 0
    running: int = 0
    paused: int = 0
    completed: int = 0
    failed: int = 0
    cancelled: int = 0

    @property
    def ended(self) -> int:
        """Executions that will not change by themselves any more."""
        return self.completed + self.failed + self.cancelled


class NodeExecutions(Answer):
    """How often nodes were executed, and how much more often without shared prefixes."""

    run: int
    saved: int
    saved_ms: float


class BatchCost(Answer):
    """What the models of a batch test took so far; `money` where `wtb.cost` knew the prices."""

    input_tokens: int
    output_tokens: int
    total_tokens: int
    money: float | None = None


class BatchError(Answer):
    """Why a batch test failed."""

    type: str
    message: str


class BatchTest(Answer):
    """Variant combinations x test cases x repetitions of one workflow.

    `becomes` is what it will be as soon as its last runs have come to rest.
    """

    id: UUID
    name: str
    workflow: str
    status: BatchStatus
    becomes: BatchStatus | None = None
    error: BatchError | None = None
    counts: BatchCounts
    combinations: tuple[dict[str, str], ...] = ()
    share_prefixes: bool = True
    node_executions: NodeExecutions | None = None
    """Lists leave them out."""
    max_concurrency: int | None = None
    max_failures: int | None = None
    baseline: dict[str, str] = Field(default_factory=dict)
    repetitions: int = 1
    evaluators: tuple[JsonValue, ...] = ()
    pairwise_evaluators: tuple[JsonValue, ...] = ()
    summary_evaluators: tuple[JsonValue, ...] = ()
    cost: BatchCost | None = None
    dataset_id: UUID | None = None
    dataset_version: int | None = None
    case_limit: int | None = None
    version: int
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None


class BatchProgress(Answer):
    """How far a batch test has come; `scored` is None where only the counts are known."""

    counts: BatchCounts
    scored: int | None = None


class NodeDuration(Answer):
    """How long a node took in one execution; `shared` where it ran for others as well."""

    node: str
    shared: bool
    count: int
    duration_ms: float


class ResultRow(Answer):
    """One execution of a batch test with its scores, and how long its nodes took."""

    execution_id: UUID
    combination: dict[str, str]
    test_case_id: str
    repetition: int
    status: ExecutionStatus
    output: JsonValue = None
    error: ExecutionError | None = None
    scores: dict[str, float | bool] = Field(default_factory=dict)
    preferences: dict[str, float] = Field(default_factory=dict)
    score_comments: dict[str, str] = Field(default_factory=dict)
    score_errors: dict[str, str] = Field(default_factory=dict)
    scored_at: datetime | None = None
    duration_ms: float | None = None
    nodes: list[NodeDuration] = Field(default_factory=list)
