"""What evaluators see of executions and test cases: LangSmith's runs and examples."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from wtb_async.application.batches.scoring import Outcome, ScoredCase
from wtb_async.domain.json import JsonObject, JsonValue


@dataclass(frozen=True, slots=True)
class RunView:
    """What an evaluator sees of the run under the name `run`."""

    id: str
    inputs: JsonObject
    outputs: JsonValue
    error: JsonObject | None
    status: str
    duration_ms: float | None
    metadata: JsonObject
    start_time: datetime | None = None
    end_time: datetime | None = None


@dataclass(frozen=True, slots=True)
class ExampleView:
    """What an evaluator sees of the test case under the name `example`."""

    id: str
    inputs: JsonObject
    outputs: JsonValue
    """The reference outputs, under LangSmith's name for them."""
    metadata: JsonObject
    attachments: dict[str, Any] = field(default_factory=dict)
    """LangSmith's examples have some; ours never do."""


def run_view(outcome: Outcome, case: ScoredCase) -> RunView:
    """One execution of a case."""
    return RunView(
        id=str(outcome.execution_id),
        inputs=case.inputs,
        outputs=outcome.outputs,
        error=outcome.error,
        status=outcome.status,
        duration_ms=outcome.duration_ms,
        metadata=case.metadata,
        start_time=outcome.started_at,
        end_time=outcome.finished_at,
    )


def example_view(case: ScoredCase) -> ExampleView:
    """One case."""
    return ExampleView(
        id=case.key, inputs=case.inputs, outputs=case.reference_outputs, metadata=case.metadata
    )
