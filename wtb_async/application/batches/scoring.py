"""What goes to the evaluators, and what comes back."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from wtb_async.domain.evaluator import EvaluatorChoice
from wtb_async.domain.graph_choice import Combination
from wtb_async.domain.json import JsonObject, JsonValue


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How one execution ended."""

    execution_id: UUID
    version: int
    """Of the execution: whatever happens to its outcome changes it."""
    status: str
    outputs: JsonValue
    error: JsonObject | None
    duration_ms: float | None
    started_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredCase:
    """The test case that was run."""

    key: str
    inputs: JsonObject
    reference_outputs: JsonValue
    metadata: JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoringJob:
    """One ended execution as evaluators see it."""

    outcome: Outcome
    case: ScoredCase
    combination: Combination
    repetition: int
    baseline: Outcome | None
    """The completed execution that pairwise evaluators compare this one with, if there is one."""
    evaluators: tuple[EvaluatorChoice, ...]
    """Those that have not looked at it yet."""
    project: str
    claimed_until: datetime
    """When others may take it; by this a claim is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """One evaluator's result; `error` says why there is no score."""

    evaluator: str
    """The name of the choice that it belongs to."""
    key: str
    score: bool | float | None = None
    comment: str | None = None
    error: str | None = None
    lower_is_better: bool = False
    baseline_first: bool | None = None
    """Of a preference: in which order the two outputs were shown; None for other scores."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenUsage:
    """What the models of one execution took; `cost` where the caller gave prices."""

    input_tokens: int
    output_tokens: int
    cost: float | None = None


@dataclass(frozen=True, slots=True)
class ScoredExecution:
    """All results of one execution, for the outcome that it had in this version."""

    execution_id: UUID
    version: int
    scores: tuple[Score, ...]
    baseline_id: UUID | None = None
    """The execution that it was compared with, for the outcome that that one had."""
    baseline_version: int | None = None
    usage: TokenUsage | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """All completed executions of one combination."""

    combination: Combination
    rows: tuple[tuple[Outcome, ScoredCase], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryJob:
    """A batch test whose executions have all been scored, for its summary evaluators."""

    read_at: datetime
    """When its columns were read: what is scored later is no part of them."""
    columns: tuple[Column, ...]
    evaluators: tuple[EvaluatorChoice, ...]
    project: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryScore:
    """What a summary evaluator said of one combination."""

    combination: Combination
    score: Score
