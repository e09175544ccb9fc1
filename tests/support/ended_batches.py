"""Batch tests that have ended with given scores, and no runner anywhere."""

import json
from collections.abc import Callable
from typing import Any

from arranging import change
from served_api import Caller

from wtb_async.domain.workflow import Workflow
from wtb_async.infrastructure.postgres.database import Database

Score = Callable[[int], float | bool | None]
"""The score of a case by its number; None for an execution that fails."""


async def ended_batch(
    caller: Caller,
    served: Database,
    workflow: Workflow,
    scores: dict[str, Score],
    *,
    cases: int = 30,
    status: str = "completed",
    **body: Any,  # noqa: ANN401 - JSON
) -> str:
    """A batch test over variants of the second node, scored as `hit`; answers its id."""
    answer = await caller.post(
        "/batch-tests",
        workflow=workflow.name,
        variant_matrix={"second": list(scores)},
        test_cases=[{"id": f"q{number}", "input": {}} for number in range(cases)],
        **body,
    )
    assert answer.status_code == 202, answer.text
    batch_id: str = answer.json()["id"]
    given = {
        variant: {f"q{number}": score(number) for number in range(cases)}
        for variant, score in scores.items()
    }
    await _end_executions(served, batch_id, given)
    await change(
        served,
        "UPDATE wtb_batch_tests SET status = :status, finished_at = now() WHERE id = :id",
        id=batch_id,
        status=status,
    )
    return batch_id


async def _end_executions(
    served: Database, batch_id: str, given: dict[str, dict[str, float | bool | None]]
) -> None:
    await change(
        served,
        """WITH given AS (
               SELECT execution.id, CAST(:given AS jsonb)
                   -> (execution.variants ->> 'second') -> test_case.key AS score
               FROM wtb_executions AS execution
               JOIN wtb_test_cases AS test_case ON test_case.id = execution.test_case_id
               WHERE execution.batch_test_id = :id
           ), ended AS (
               UPDATE wtb_executions AS execution
               SET status = CASE WHEN score = 'null' THEN 'failed' ELSE 'completed' END,
                   error = CASE WHEN score = 'null'
                       THEN '{"type": "ValueError", "message": "told to fail"}'::jsonb END,
                   duration_ms = 12.5, scored_at = now()
               FROM given WHERE given.id = execution.id
           )
           INSERT INTO wtb_evaluation_results (execution_id, key, evaluator, score)
           SELECT id, 'hit', 'test:hit', score FROM given WHERE score <> 'null'""",
        id=batch_id,
        given=json.dumps(given),
    )
