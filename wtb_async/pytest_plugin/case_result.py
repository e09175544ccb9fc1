"""What a marked test gets."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from wtb_async.domain.execution import ExecutionStatus
from wtb_async.domain.json import JsonObject, JsonValue
from wtb_async.sdk.batch_models import ResultRow
from wtb_async.sdk.models import ExecutionError


@dataclass(frozen=True, kw_only=True, repr=False)
class CaseResult:
    """One test case and what the workflow made of it.

    `error` is None unless the execution failed; a paused one waits for somebody. `scores` are
    those of the evaluators, by key; `score_errors` says which evaluators failed and why.
    """

    case_id: str
    input: JsonObject
    reference: JsonValue
    metadata: JsonObject
    status: ExecutionStatus
    output: JsonValue
    error: ExecutionError | None
    scores: Mapping[str, float | bool]
    score_errors: Mapping[str, str]
    duration_ms: float | None
    execution_id: UUID
    batch_test_id: UUID

    def __repr__(self) -> str:
        """Short, since pytest shows it with every assertion that fails."""
        return f"<CaseResult {self.case_id!r}: {self.status}>"

    def __str__(self) -> str:
        error = f": {self.error.type}: {self.error.message}" if self.error else ""
        broken = "".join(f"\n{key}: {why}" for key, why in self.score_errors.items())
        return (
            f"execution {self.execution_id} of test case {self.case_id!r} is {self.status}{error}"
            f"{broken}\nwtb executions show {self.execution_id}"
        )


def result_of(case: JsonObject, row: ResultRow, batch_test_id: UUID) -> CaseResult:
    """Put a test case and its execution together."""
    given, metadata = case.get("input"), case.get("metadata")
    return CaseResult(
        case_id=row.test_case_id,
        input=given if isinstance(given, dict) else {},
        reference=case.get("reference"),
        metadata=metadata if isinstance(metadata, dict) else {},
        status=row.status,
        output=row.output,
        error=row.error,
        scores=row.scores,
        score_errors=row.score_errors,
        duration_ms=row.duration_ms,
        execution_id=row.execution_id,
        batch_test_id=batch_test_id,
    )
