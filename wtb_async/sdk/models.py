"""What the REST API answers, as types. Fields that a newer server adds are kept."""

from datetime import datetime
from enum import StrEnum
from typing import Generic, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from wtb_async.domain.execution import ENDED, ExecutionStatus, PauseReason
from wtb_async.domain.node_boundary import BoundaryStatus

Item = TypeVar("Item")


class Answer(BaseModel):
    """A frozen value that came from the server."""

    model_config = ConfigDict(frozen=True, extra="allow")


class Page(Answer, Generic[Item]):
    """One page of a list; `next_cursor` is None on the last."""

    items: tuple[Item, ...]
    next_cursor: str | None = None


class NodeVariant(Answer):
    """Another implementation of one node."""

    node: str = ""
    name: str
    implementation: str
    description: str = ""


class WorkflowVariant(Answer):
    """Another whole graph under a workflow."""

    name: str
    graph: str
    description: str = ""


class Workflow(Answer):
    """A registered graph; lists leave out its nodes, variants and picture."""

    id: UUID
    name: str
    graph: str
    description: str = ""
    nodes: tuple[str, ...] = ()
    mermaid: str = ""
    node_variants: tuple[NodeVariant, ...] = ()
    workflow_variants: tuple[WorkflowVariant, ...] = ()


class ExecutionError(Answer):
    """Why an execution failed."""

    type: str
    message: str
    node: str | None = None


class InterruptKind(StrEnum):
    """What a graph can wait for."""

    INTERRUPT = "interrupt"
    BREAKPOINT = "breakpoint"


class Interrupt(Answer):
    """What the graph waits for: the answer to a question of a node, or leave to pass a breakpoint.

    `id` is missing where its row could not be read. An answer must fit the JSON Schema in
    `response_schema`, if there is one.
    """

    id: str | None
    kind: InterruptKind = InterruptKind.INTERRUPT
    value: JsonValue
    node: str | None = None
    response_schema: JsonValue = None


class Breakpoints(Answer):
    """The nodes before and after which an execution pauses."""

    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


class Execution(Answer):
    """One input through one workflow with one choice of variants."""

    id: UUID
    workflow_id: UUID
    workflow: str
    status: ExecutionStatus
    pause_reason: PauseReason | None = None
    input: JsonValue = None
    output: JsonValue = None
    error: ExecutionError | None = None
    variants: dict[str, str] = Field(default_factory=dict)
    workflow_variant: str | None = None
    breakpoints: Breakpoints = Breakpoints()
    stream: tuple[str, ...] = ()
    thread_id: UUID | None = None
    checkpoint_id: str | None = None
    next_nodes: tuple[str, ...] = ()
    interrupts: tuple[Interrupt, ...] = ()
    batch_test_id: UUID | None = None
    test_case_id: str | None = None
    repetition: int | None = None
    parent_execution_id: UUID | None = None
    attempt: int = 1
    version: int
    metadata: dict[str, JsonValue] = Field(default_factory=dict)
    created_by: str
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    duration_ms: float | None = None

    @property
    def is_at_rest(self) -> bool:
        """Whether it has ended or is paused: nothing happens until somebody asks for it."""
        return self.status is ExecutionStatus.PAUSED or self.status in ENDED


class Checkpoint(Answer):
    """One point of an execution's timeline, without the values."""

    checkpoint_id: str
    thread_id: UUID
    parent_checkpoint_id: str | None = None
    step: int
    source: str
    next_nodes: tuple[str, ...] = ()
    created_at: datetime
    file_commit_id: UUID | None = None
    """The files at this moment; None when there were none yet."""
    interrupts: tuple[Interrupt, ...] = ()

    @property
    def id(self) -> str:
        """Its address within the execution."""
        return self.checkpoint_id


class State(Answer):
    """The state of an execution at one checkpoint, or that there is no checkpoint yet."""

    execution_id: UUID
    thread_id: UUID
    checkpoint_id: str | None = None
    values: JsonValue
    not_shown: dict[str, str] = Field(default_factory=dict)
    next_nodes: tuple[str, ...] = ()
    interrupts: tuple[Interrupt, ...] = ()
    created_at: datetime | None = None


class NodeError(Answer):
    """Why one attempt of a node failed."""

    type: str
    message: str


class NodeBoundary(Answer):
    """One attempt of one node."""

    node: str
    checkpoint_ns: str = ""
    task_id: str
    attempt: int
    status: BoundaryStatus
    entry_checkpoint_id: str
    exit_checkpoint_id: str | None = None
    started_at: datetime
    finished_at: datetime
    duration_ms: float
    input: JsonValue = None
    output: JsonValue = None
    error: NodeError | None = None
    shared: bool = False


class Event(Answer):
    """One fact on an event stream; `id` is where a broken stream goes on."""

    model_config = ConfigDict(frozen=True, extra="allow", coerce_numbers_to_str=True)

    id: str
    type: str
    at: datetime
    execution_id: UUID | None = None
    batch_test_id: UUID | None = None
    data: dict[str, JsonValue] = Field(default_factory=dict)


class Health(Answer):
    """That the server's process lives."""

    status: str


class PartState(Answer):
    """How one part of the server is."""

    state: str


class Readiness(Answer):
    """Whether the server can do its work, part by part."""

    status: str
    parts: dict[str, PartState] = Field(default_factory=dict)

    @property
    def is_ready(self) -> bool:
        """Whether every part works."""
        return self.status == "ready"
